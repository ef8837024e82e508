// Messages that are given to a command of the user's own, as JSON on stdin. It is ended when it takes too long, and what it leaves
// behind ends with it.

import { statSync } from "node:fs";
import type { NewAlert } from "../domain/alert.ts";
import { carriersOf, type Mark, markVariables, withoutMark } from "../runner/mark.ts";
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

export async function runCommand(
  alert: NewAlert,
  letter: Letter,
  surroundings: Surroundings,
): Promise<Reply> {
  const { target, cwd } = alert;
  if (!statSync(cwd!, { throwIfNoEntry: false })?.isDirectory())
    return refused(`the directory ${cwd} is not there`);
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
  if (treeIsAlive(tree, "everything")) await endTree(tree, "everything", graceMs);
  if (ended === "late") return tooLate;
  if (child.signalCode !== null) return refused(`it was ended by ${child.signalCode}`);
  return ended === 0 ? { kind: "accepted", answer: "exit status 0" } : refused(`exit status ${ended}`);
}

/** A worker that was killed has left its try of the same message running: a command does not run beside itself. */
async function endEarlier(mark: Mark): Promise<void> {
  const find = () => carriersOf(mark);
  if (find().length > 0) await endProcesses(find, graceMs);
}

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
