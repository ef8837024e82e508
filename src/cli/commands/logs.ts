// queuectl logs: what a job printed.

import { Refusal } from "../../domain/errors.ts";
import { openJobLog } from "../../store/logs.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { copier, followJob, tellIfCut } from "../follow.ts";
import { isTerminal, note } from "../output.ts";
import { wholeNumber } from "../values.ts";

interface LogsOptions {
  readonly follow?: boolean;
  readonly attempt?: string;
}

export async function logs(
  context: Context,
  words: readonly string[],
  options: LogsOptions,
): Promise<number> {
  const wanted = options.attempt === undefined ? undefined : wholeNumber("attempt", options.attempt, 1, 1e9);
  await using store = await context.openStore();
  const job = await store.jobs.find(words[0]!);
  const attempts = await store.jobs.attempts(job.seq);
  const newest = attempts.at(-1)?.number;
  const tame = isTerminal(1);
  if (options.follow) {
    const from = wanted ?? newest ?? 1;
    const onAttempt = (number: number) => note(`attempt ${number}`);
    const onwards = wanted === undefined;
    await followJob({ store, home: context.home, job, from, onwards, onAttempt, tame });
    return done;
  }
  const number = wanted ?? newest;
  const attempt = attempts.find((one) => one.number === number);
  if (wanted !== undefined && !attempt) {
    throw new Refusal("not_found", `job ${job.id} has no attempt ${wanted}`, `it has ${attempts.length}`);
  }
  if (!attempt) {
    note(`job ${job.id} has not run yet; it is ${job.state}`);
    return done;
  }
  const log = () => openJobLog({ store, home: context.home }, job.seq, attempt.number);
  await copier(log, { tame }).end();
  tellIfCut(attempt);
  return done;
}
