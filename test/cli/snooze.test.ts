// A command that asks to be run again later, by calling queuectl itself.

import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { quoted } from "../../src/domain/shell-words.ts";
import { program } from "../support/program.ts";
import { queuectl } from "../support/queuectl.ts";
import { waitUntil } from "../support/wait-until.ts";

setDefaultTimeout(180_000);

/** The words by which a command calls it. */
const own = program.map(quoted).join(" ");

test("a command that has nothing to do yet is run again later, and has not failed", async () => {
  await using q = queuectl();
  const ready = join(q.folder, "ready");
  await q.ok("enqueue", `test -e ${ready} || exec ${own} snooze 0.2`, "--id", "a", "--max-retries", "0");
  const worker = q.start("worker");
  await worker.says("job a asked to be run again in 0.2 s");
  writeFileSync(ready, "");
  expect((await q("wait", "a")).status).toBe(0);
  const { state, attempts, attempts_history } = await q.json("show", "a");
  expect({ state, attempts }).toEqual({ state: "completed", attempts: 1 });
  expect(attempts_history[0]).toMatchObject({ result: "snoozed", charged: false, exit_code: 0, error: null });
  expect(attempts_history.at(-1)).toMatchObject({ result: "exited", charged: true });
  expect(await q.json("status")).toMatchObject({ success_runs: 1, failed_runs: 0 });
});

test("run waits for a command that asks to be run again, and exits with its last status", async () => {
  await using q = queuectl();
  const command = `[ $QUEUECTL_ATTEMPT = 3 ] && exit 7; echo $QUEUECTL_ATTEMPT; ${own} snooze 10ms; exit 1`;
  const { status, stdout } = await q("run", command, "--max-retries", "0");
  expect({ status, stdout }).toEqual({ status: 7, stdout: "1\n2\n" });
});

test("the word of a command counts although its worker dies before it ends", async () => {
  await using q = queuectl();
  const [said, go] = [join(q.folder, "said"), join(q.folder, "go")];
  const command = `${own} snooze 1h && touch ${said}; until [ -e ${go} ]; do sleep 0.02; done; exit 9`;
  await q.ok("enqueue", command, "--id", "a", "--max-retries", "0");
  const worker = q.start("worker");
  await waitUntil("the command has said it", () => existsSync(said));
  worker.kill("SIGKILL");
  await worker.exited;
  const next = q.start("worker");
  await next.says("took over job a");
  writeFileSync(go, "");
  await next.says("job a asked to be run again in 1h");
  expect(await q.json("show", "a")).toMatchObject({ state: "pending", attempts: 0, last_exit_code: 9 });
});

test("outside of a job, late, or for too long it is refused", async () => {
  await using q = queuectl();
  expect(await q("snooze", "30s")).toMatchObject({
    status: 2,
    stderr: "queuectl: snooze is for the command of a job (queuectl enqueue --delay puts off a new one)\n",
  });
  await q.ok("run", "true", "--id", "a");
  const env = { QUEUECTL_JOB_ID: "a", QUEUECTL_ATTEMPT: "1" };
  expect(await q.with({ env }, "snooze", "30s")).toMatchObject({
    status: 1,
    stderr: "queuectl: attempt 1 of job a does not run any more\n",
  });
  expect((await q.with({ env }, "snooze", "soon")).stderr).toMatch(
    /^queuectl: the duration cannot be "soon"/,
  );
  expect((await q.with({ env }, "snooze", "400d")).stderr).toBe(
    "queuectl: the duration cannot be 34560000 (400d): it is 0 to 366d\n",
  );
  expect((await q.with({ env }, "snooze")).status).toBe(2);
});
