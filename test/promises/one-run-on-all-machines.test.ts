// Promise 2 where machines share a queue on PostgreSQL and cannot see each other's processes: whatever happens to a worker, its
// commands are over before its lease is, and so before another machine runs its jobs. A machine is here a home folder of its own.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { SQL } from "bun";
import { statOf } from "../../src/runner/process-identity.ts";
import { isRunning, pidIn } from "../support/is-running.ts";
import { noPostgres, postgresServer } from "../support/postgres-server.ts";
import { processesWhere } from "../support/processes.ts";
import { type Queuectl, queuectl } from "../support/queuectl.ts";
import { type TcpProxy, tcpProxy } from "../support/tcp-proxy.ts";
import { waitUntil } from "../support/wait-until.ts";

setDefaultTimeout(120_000);

const ticking = resolve(import.meta.dir, "../programs/ticking.sh");
/** The shortest that is allowed. */
const lease = "6s";

describe.skipIf(noPostgres !== undefined)("a machine with one worker", () => {
  for (const [what, signal] of [
    ["killed", "SIGKILL"],
    ["stopped", "SIGSTOP"],
  ] as const) {
    test(`whose worker is ${what} ends its commands before another machine runs the job`, async () => {
      await using two = await twoMachines();
      const { here, there, ledger } = two;
      const worker = here.start("worker");
      await startTicking(two);
      worker.kill(signal);
      const other = there.start("worker", "--until-empty");
      expect(await other.exited).toBe(0);
      expectOneAfterTheOther(ledger);
      expect(await there.json("show", "a")).toMatchObject({ state: "completed", attempts: 1 });
      if (signal === "SIGSTOP") {
        worker.kill("SIGCONT");
        await worker.says("entering it anew");
        await runsAgain(here);
      } else await waitUntil("the guardian has gone", () => guardiansOf(here).length === 0);
    });
  }

  test("that is cut off ends its commands before another machine runs the job, and works on when the network is back", async () => {
    await using two = await twoMachines();
    const { here, there, ledger, proxy } = two;
    const worker = here.start("worker");
    await startTicking(two);
    await proxy.swallow();
    const other = there.start("worker", "--until-empty");
    expect(await other.exited).toBe(0);
    expectOneAfterTheOther(ledger);
    await proxy.pass();
    await worker.says("entering it anew");
    await runsAgain(here);
    expect(await here.json("show", "a")).toMatchObject({ state: "completed", attempts: 1 });
  });

  test("whose stopped worker goes on within its lease, but late, has its job run again without a charge", async () => {
    await using two = await twoMachines();
    const { here, ledger } = two;
    const worker = here.start("worker");
    await startTicking(two);
    worker.kill("SIGSTOP");
    await waitUntil("the guardian has acted", () => custodies(here).length > 0);
    worker.kill("SIGCONT");
    await waitUntil("the job is done", async () => (await here.json("show", "a")).state === "completed");
    expectOneAfterTheOther(ledger);
    expect((await here.json("show", "a")).attempts_history[0]).toMatchObject({
      result: "released",
      charged: false,
      error: expect.stringContaining("had not been heard of"),
    });
    await runsAgain(here);
  });

  test("adopts the command when a new worker comes in time: it runs once, and its output and status are whole", async () => {
    await using two = await twoMachines();
    const { here, there } = two;
    const go = join(here.folder, "go");
    await here.ok(
      "enqueue",
      `echo one; until [ -e '${go}' ]; do sleep 0.05; done; echo two; exit 7`,
      "--id",
      "a",
      "--max-retries",
      "0",
    );
    const first = here.start("worker");
    await first.says("executing a");
    await waitUntil("it has begun", async () => (await here.ok("logs", "a")) === "one");
    const guardians = await settledGuardians(here, 1);
    first.kill("SIGKILL");
    const second = here.start("worker", "--until-empty");
    await second.says("took over job a");
    const elsewhere = there.start("worker");
    // Long enough for the first guardian to act, if it still would.
    await waitUntil("the first guardian has gone", () => !guardians.some(isRunning));
    await Bun.sleep(8_000);
    await Bun.write(go, "");
    expect(await second.exited).toBe(0);
    elsewhere.kill("SIGTERM");
    const job = await here.json("show", "a");
    expect(job).toMatchObject({ state: "dead", last_exit_code: 7 });
    expect(job.attempts_history).toHaveLength(1);
    expect(await here.ok("logs", "a")).toBe("one\ntwo");
  });

  test("adopts it also when that one came to the home by a symbolic link", async () => {
    await using two = await twoMachines();
    const { here } = two;
    const go = join(here.folder, "go");
    const link = join(here.folder, "link");
    symlinkSync(here.home, link);
    await here.ok(
      "enqueue",
      `until [ -e '${go}' ]; do sleep 0.05; done; exit 7`,
      "--id=a",
      "--max-retries=0",
    );
    const first = here.start("worker");
    await first.says("executing a");
    await settledGuardians(here, 1);
    first.kill("SIGKILL");
    await using other = queuectl({ QUEUECTL_DATABASE_URL: two.proxy.url, QUEUECTL_HOME: link });
    const second = other.start("worker", "--until-empty");
    await second.says("took over job a");
    await Bun.write(go, "");
    expect(await second.exited).toBe(0);
    const job = await here.json("show", "a");
    expect(job).toMatchObject({ state: "dead", last_exit_code: 7 });
    expect(job.attempts_history).toHaveLength(1);
  });

  test("whose second worker is killed too ends what that one had taken over", async () => {
    await using two = await twoMachines();
    const { here, there, ledger } = two;
    const first = here.start("worker");
    await startTicking(two);
    first.kill("SIGKILL");
    const second = here.start("worker");
    await second.says("took over job a");
    second.kill("SIGKILL");
    expect(await there.start("worker", "--until-empty").exited).toBe(0);
    expectOneAfterTheOther(ledger);
  });

  test("whose worker leaves its commands running ends them when no new one comes in time", async () => {
    await using two = await twoMachines();
    const { here, there, ledger } = two;
    const worker = here.start("worker");
    await startTicking(two);
    await here.ok("worker", "stop", "--leave-running", "--wait");
    expect(await worker.exited).toBe(0);
    await settledGuardians(here, 1);
    expect(await there.start("worker", "--until-empty").exited).toBe(0);
    expectOneAfterTheOther(ledger);
    await waitUntil("the guardian has gone", () => guardiansOf(here).length === 0);
  });

  test("whose worker ended in order has no guardian and no file of it any more", async () => {
    await using two = await twoMachines();
    const { here } = two;
    await here.ok("enqueue", "true");
    const worker = here.start("worker");
    await worker.says("completed");
    await settledGuardians(here, 1);
    worker.kill("SIGTERM");
    expect(await worker.exited).toBe(0);
    await waitUntil("the guardian has gone", () => guardiansOf(here).length === 0);
    expect(readdirSync(join(here.home, "run"))).toEqual([]);
  });

  test("and two worker processes has a guardian for each, in a session of its own, and the one left alone works on", async () => {
    await using two = await twoMachines();
    const { here, there, ledger } = two;
    const killed = here.start("worker");
    await startTicking(two);
    const stopped = here.start("worker");
    await stopped.says("started");
    const guardians = await settledGuardians(here, 2);
    for (const pid of guardians) expect(statOf(pid)?.session).toBe(pid);
    // The second cannot take over what the first one left.
    stopped.kill("SIGSTOP");
    killed.kill("SIGKILL");
    expect(await there.start("worker", "--until-empty").exited).toBe(0);
    expectOneAfterTheOther(ledger);
    stopped.kill("SIGCONT");
    await runsAgain(here);
  });
});

test.skipIf(noPostgres !== undefined)(
  "who ends a dead worker's command keeps it for as long as that takes",
  async () => {
    await using database = await (await postgresServer()).newDatabase();
    await using q = queuectl({
      QUEUECTL_DATABASE_URL: database.url,
      QUEUECTL_LEASE: "10m",
      QUEUECTL_KILL_GRACE: "5m",
    });
    await q.ok("enqueue", "--id", "a", "trap '' TERM; echo $$ > pid; while :; do sleep 0.1; done");
    const worker = q.start("worker");
    const shell = await pidIn(join(q.folder, "pid"));
    worker.kill("SIGKILL");
    await worker.exited;
    const cancelling = q.start("cancel", "a");
    await using sql = new SQL(database.url, { max: 1 });
    await waitUntil("whoever ends it is heard of again", async () => {
      const rows =
        await sql`select heartbeat_at - started_at as ms from queuectl.worker_processes where queues is not null`;
      return rows.some(({ ms }: { ms: string }) => Number(ms) > 1000);
    });
    process.kill(shell, "SIGKILL");
    await cancelling.exited;
    expect((await q.json("show", "a")).state).toBe("cancelled");
  },
);

interface TwoMachines extends AsyncDisposable {
  /** Reaches the database by way of `proxy` in its workers' environment. */
  readonly here: Queuectl;
  readonly there: Queuectl;
  readonly proxy: TcpProxy;
  readonly ledger: string;
}

async function twoMachines(): Promise<TwoMachines> {
  const stack = new AsyncDisposableStack();
  const database = stack.use(await (await postgresServer()).newDatabase());
  const proxy = stack.use(await tcpProxy(database.url));
  const env = { QUEUECTL_LEASE: lease, QUEUECTL_KILL_GRACE: "60" };
  const there = stack.use(queuectl({ ...env, QUEUECTL_DATABASE_URL: database.url }));
  const here = stack.use(queuectl({ ...env, QUEUECTL_DATABASE_URL: proxy.url }));
  return {
    here,
    there,
    proxy,
    ledger: join(there.folder, "ledger"),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Lets the worker here run the ticking job `a`. */
async function startTicking({ here, ledger }: TwoMachines): Promise<void> {
  await here.ok("enqueue", "--id", "a", "--", ticking, ledger);
  await waitUntil("both of its processes tick", () => new Set(lines(ledger)).size === 2);
}

const lines = (ledger: string) =>
  existsSync(ledger) ? readFileSync(ledger, "utf8").split("\n").filter(Boolean) : [];

/** No line of the first attempt stands behind one of another. Whoever claimed it in vain counts as an attempt that wrote nothing. */
function expectOneAfterTheOther(ledger: string): void {
  const attempts = lines(ledger).map((line) => Number(line.split(" ")[0]));
  expect(attempts[0]).toBe(1);
  expect(new Set(attempts).size).toBe(2);
  expect(attempts).toEqual(attempts.toSorted((a, b) => a - b));
}

async function runsAgain(machine: Queuectl): Promise<void> {
  const id = await machine.ok("enqueue", "true");
  await waitUntil("it works on", async () => (await machine.json("show", id)).state === "completed");
}

const guardiansOf = ({ home }: Queuectl) =>
  processesWhere((words) => words[3] === "queuectl-guardian" && words[4]!.startsWith(`${home}/`));

/** When there are so many: one that begins to sleep is two for a moment, until its child is `sleep`. */
async function settledGuardians(q: Queuectl, count: number): Promise<readonly number[]> {
  return await waitUntil(`there are ${count} guardians`, () => {
    const found = guardiansOf(q);
    return found.length === count && found;
  });
}

const custodies = ({ home }: Queuectl) =>
  readdirSync(join(home, "run")).filter((name) => name.endsWith(".custody"));
