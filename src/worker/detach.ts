// Starts a worker process in the background, and waits until it works.

import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "../domain/errors.ts";
import { ensureFolderOf, fileMode, workerLogsFolder } from "../home.ts";
import { cgroupOutsideOfAttempts } from "../runner/cgroup.ts";
import { withoutMark } from "../runner/mark.ts";
import { selfCommand } from "../self.ts";
import type { Store } from "../store/store.ts";
import { type ProcessState, processStates, workersOf } from "./liveness.ts";

export interface DetachOptions {
  readonly store: Store;
  readonly home: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The words that start queuectl; how this process was started by default. */
  readonly program?: readonly string[] | undefined;
  /** The words behind `worker start` that the background process gets. */
  readonly words: readonly string[];
}

/** How long a new process may take to enter itself as a worker. */
const patienceMs = 10_000;

/** Fulfilled with the ids of the workers that then run in the background. */
export async function startDetached(options: DetachOptions): Promise<string[]> {
  const { store, home, environment, program = selfCommand(), words } = options;
  const outputPath = join(workerLogsFolder(home), "detached.log");
  ensureFolderOf(outputPath);
  const output = openSync(outputPath, "a", fileMode);
  const { size } = fstatSync(output);
  // A worker that a job starts in the background is no part of that job, and must outlive it.
  const cgroup = cgroupOutsideOfAttempts();
  const child = Bun.spawn([...program, "worker", "start", ...words], {
    env: { ...withoutMark(environment), QUEUECTL_HOME: home },
    detached: true,
    ...(cgroup === undefined ? {} : { cgroup }),
    stdin: "ignore",
    stdout: output,
    stderr: output,
  });
  closeSync(output);
  child.unref();

  const deadline = performance.now() + patienceMs;
  const isGone = () => child.exitCode !== null || child.signalCode !== null;
  while (!isGone() && performance.now() < deadline) {
    // Another machine's, or a dead process's, may have the same pid.
    const isChild = ({ liveness, identity }: ProcessState) =>
      liveness === "alive" && identity.pid === child.pid;
    const workers = workersOf((await processStates(store)).filter(isChild));
    if (workers.length > 0) return workers;
    await Bun.sleep(10);
  }
  // With --until-empty it may have come and gone between two looks.
  if (child.exitCode === 0) return [];
  if (!isGone()) {
    throw new Refusal(
      "unavailable",
      `the worker has not entered within ${patienceMs / 1000} seconds, and may do so later`,
      `queuectl worker list shows it then; see ${outputPath}`,
    );
  }
  const said = readFileSync(outputPath).subarray(size).toString().trim().split("\n").at(-1);
  throw new Refusal(
    "unavailable",
    `the worker did not start${said ? `: ${said.replace("queuectl: ", "")}` : ""}`,
    `see ${outputPath}`,
  );
}
