// What a worker process has at hand, from the end of a run to its settlement.

import { expect, test } from "bun:test";
import { giveBack, notStarted } from "../../src/runner/run.ts";
import type { RunningAttempt } from "../../src/runner/supervise.ts";
import { makeRuns } from "../../src/worker/runs.ts";
import { runningJob } from "../support/sample-jobs.ts";
import { tempSqlite } from "../support/temp-sqlite.ts";

/** What is to be settled of an attempt that ends while the lease of its process may end, or not. */
async function settledAs(attempt: RunningAttempt, hasLapsed: boolean) {
  await using temp = await tempSqlite();
  const claimed = await runningJob(temp.store);
  const ended = Promise.withResolvers<void>();
  const runs = makeRuns({ beforeSettling: async () => {}, onEnd: ended.resolve, hasLapsed: () => hasLapsed });
  runs.add(claimed, attempt);
  await ended.promise;
  const { result, error } = runs.ended()[0]!.settlement.ending;
  return `${result}: ${error}`;
}

test("what ended by itself counts as it ended, though the lease of its process may end", async () => {
  const attempt = () => notStarted({ result: "not_started", exit_code: 127, error: "no such directory" });
  for (const hasLapsed of [false, true])
    expect(await settledAs(attempt(), hasLapsed)).toBe("not_started: no such directory");
});

test("what was ended because the lease of its process may end is given back, and says so", async () => {
  expect(await settledAs(giveBack("why"), false)).toBe("released: given back before it started: why");
  const killed = () => notStarted({ result: "signalled", exit_code: 137, error: "killed by SIGKILL" });
  expect(await settledAs(killed(), false)).toBe("signalled: killed by SIGKILL");
  expect(await settledAs(killed(), true)).toBe(
    "released: given back: the database had not been heard of for too long",
  );
});
