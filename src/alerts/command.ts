// Messages that are given to a command of the user's own, as JSON on stdin. It is ended when it takes too long, and what it leaves
// behind ends with it.

import { statSync } from "node:fs";
import type { NewAlert } from "../domain/alert.ts";
import { isSystemError, systemTrouble } from "../domain/errors.ts";
import { cutText } from "../domain/one-line.ts";
import { type Mark, markVariables, withoutMark } from "../runner/mark.ts";
import { lookAround } from "../runner/process-table.ts";
import { endProcesses, endTree, type ProcessTree, treeIsAlive } from "../runner/process-tree.ts";
import {
  type Letter,
  limitOf,
  type Reply,
  readMessage,
  refused,
  type Surroundings,
  tooLate,
} from "./send.ts";

/** Between TERM and KILL. */
const graceMs = 1_000;

/** What is kept of what is said of its directory, whose name may be long. */
const longestAnswer = 200;

export async function runCommand(
  alert: NewAlert,
  letter: Letter,
  surroundings: Surroundings,
): Promise<Reply> {
  try {
    return await run(alert, letter, surroundings);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return refused(cutText(systemTrouble(error), longestAnswer));
  }
}

async function run(alert: NewAlert, letter: Letter, surroundings: Surroundings): Promise<Reply> {
  const { target, cwd } = alert;
  const wrong = wrongWith(cwd!);
  if (wrong !== undefined) return refused(cutText(`the directory ${wrong}: ${cwd}`, longestAnswer));
  const mark: Mark = { home: surroundings.home, run: `alert.${letter.id}` };
  await endEarlier(mark);
  const limit = limitOf(surroundings);
  const child = Bun.spawn(["/bin/sh", "-c", target], {
    cwd: cwd!,
    env: variables(alert, letter, mark, surroundings),
    detached: true,
    stdin: Buffer.from(letter.message),
    stdout: "ignore",
    stderr: surroundings.stderr ?? "ignore",
  });
  const tree: ProcessTree = { group: child.pid, mark, cgroup: null };
  const aborted = new Promise<"late">((resolve) => {
    limit.addEventListener("abort", () => resolve("late"), { once: true });
  });
  const ended = await Promise.race([child.exited, aborted]);
  if (await treeIsAlive(tree, "everything")) await endTree(tree, "everything", graceMs);
  if (ended === "late") return tooLate;
  if (child.signalCode !== null) return refused(`it was ended by ${child.signalCode}`);
  return ended === 0 ? { kind: "accepted", answer: "exit status 0" } : refused(`exit status ${ended}`);
}

function wrongWith(folder: string): string | undefined {
  try {
    return statSync(folder, { throwIfNoEntry: false })?.isDirectory() ? undefined : "is not there";
  } catch {
    return "may not be entered";
  }
}

/** A worker that was killed has left its try of the same message running: a command does not run beside itself. */
const endEarlier = (mark: Mark) => endProcesses(async () => (await lookAround()).carrying(mark), graceMs);

function variables(
  { name }: NewAlert,
  letter: Letter,
  mark: Mark,
  { environment }: Surroundings,
): Record<string, string> {
  const { type, text, data } = readMessage(letter);
  const [job] = data.jobs;
  return {
    ...withoutMark(environment),
    ...markVariables(mark),
    QUEUECTL_ALERT: name,
    QUEUECTL_EVENT: type,
    QUEUECTL_TEXT: text,
    QUEUECTL_DELIVERY_ID: letter.id,
    ...(job ? { QUEUECTL_JOB_ID: job.id } : {}),
  };
}
