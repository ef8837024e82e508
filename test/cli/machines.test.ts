// Several machines on one PostgreSQL database: each command sees all of them, and touches only what it is meant for.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { version } from "../../src/version.ts";
import { makeGate } from "../support/gate.ts";
import { isRunning } from "../support/is-running.ts";
import { machine, noMachines } from "../support/machine.ts";
import { noPostgres, postgresServer } from "../support/postgres-server.ts";

setDefaultTimeout(120_000);

/** Two machines on a database of their own. */
async function twoMachines() {
  const database = await (await postgresServer()).newDatabase();
  const env = { QUEUECTL_DATABASE_URL: database.url };
  const [a, b] = [machine("host-a", env), machine("host-b", env)];
  return {
    a,
    b,
    async [Symbol.asyncDispose]() {
      await a[Symbol.asyncDispose]();
      await b[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

describe.skipIf(noPostgres !== undefined || noMachines !== undefined).concurrent("two machines", () => {
  test("show each other's workers with host, version and heartbeat, and are counted", async () => {
    await using both = await twoMachines();
    const { a, b } = both;
    await a.ok("worker", "--detach", "--count", "2");
    await b.ok("worker", "--detach");
    const listed = await a.json("worker", "list");
    const heartbeat_at = expect.stringMatching(/^\d{4}-\d\d-\d\dT/);
    const seen = { version, heartbeat_at, state: "idle" };
    expect(listed).toMatchObject([
      { ...seen, host: "host-a" },
      { ...seen, host: "host-a" },
      { ...seen, host: "host-b" },
    ]);
    const row = (await b.ok("worker", "list")).split("\n")[0]!.split("\t");
    expect(row.slice(5, 7)).toEqual(["host-a", version]);
    expect(row[8]).toEndWith(" ago");
    expect(await a.json("status")).toMatchObject({ active_workers: 3, machines: 2 });
    expect(await a.ok("status")).toMatch(/^machines +2 \(host-a, host-b\)$/m);
  });

  test("worker stop stops this machine's workers, --id any, and --all-hosts all, and --wait waits for them", async () => {
    await using both = await twoMachines();
    const { a, b } = both;
    const hosts = async () => (await a.json("worker", "list")).map(({ host }: { host: string }) => host);
    for (const one of [a, a, b, b]) await one.ok("worker", "--detach");
    const { id } = (await a.json("worker", "list")).at(-1);
    await a.ok("worker", "stop", "--id", id, "--wait");
    expect(await hosts()).toEqual(["host-a", "host-a", "host-b"]);
    await a.ok("worker", "stop", "--wait");
    expect(await hosts()).toEqual(["host-b"]);
    expect((await a("worker", "stop")).stderr).toContain("--all-hosts");
    await a.ok("worker", "--detach");
    await a.ok("worker", "stop", "--all-hosts", "--wait");
    expect(await hosts()).toEqual([]);
    expect((await a("worker", "stop", "--all-hosts", "--id", "x")).status).toBe(2);
  });

  test("worker logs says on which machine the log of another one's worker lies", async () => {
    await using both = await twoMachines();
    const { a, b } = both;
    const id = await b.ok("worker", "--detach");
    expect(await b.ok("worker", "logs", id)).toContain("started");
    const { status, stdout, stderr } = await a("worker", "logs", id);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toContain(`the log of ${id} lies on host-b, in ${b.home}/`);
    expect((await a("worker", "logs", "worker-none")).stderr).toContain("there is no worker");
  });

  test("a queue that one machine serves runs there only, and a job says where it ran", async () => {
    await using both = await twoMachines();
    const { a, b } = both;
    await a.ok("worker", "--detach", "--queue", "on-a");
    await b.ok("worker", "--detach", "--queue", "on-b");
    const ids = ["a1", "b1", "a2", "b2"];
    for (const id of ids)
      await a.ok("enqueue", "hostname", "--id", id, "--queue", `on-${id[0]}`, "--cwd", "/");
    await b.ok("wait", ...ids);
    for (const id of ids) {
      const host = `host-${id[0]}`;
      expect((await b.json("show", id)).attempts_history).toMatchObject([{ host }]);
      expect(await a.ok("show", id)).toContain(`\t${host}\t`);
    }
  });

  test("a job whose directory the machine does not have fails with that reason", async () => {
    await using both = await twoMachines();
    const { a, b } = both;
    const there = join(a.folder, "only-on-a");
    mkdirSync(there);
    await a.with({ cwd: there }, "enqueue", "true", "--id", "job", "--max-retries", "0");
    // As host-b sees it: the folder was host-a's.
    rmdirSync(there);
    await b.ok("worker", "--until-empty");
    const job = await a.json("show", "job");
    expect(job.state).toBe("dead");
    expect(job.attempts_history).toMatchObject([{ result: "not_started", host: "host-b" }]);
    expect(job.last_error).toContain(there);
  });

  test("a job that runs on one is cancelled, retried and deleted from the other", async () => {
    await using both = await twoMachines();
    const { a, b } = both;
    await b.ok("config", "set", "poll_interval", "3600");
    const worker = b.start("worker");
    await worker.says("waiting for jobs");
    const gate = makeGate(b);
    const ending = makeGate(b);
    const command = `last() { ${ending.command}; exit 1; }; trap last TERM; echo $$ > pid; ${gate.command}`;
    await a.ok("enqueue", command, "--id", "job", "--cwd", b.folder);
    await gate.reached();
    const pid = Number(readFileSync(join(b.folder, "pid"), "utf8"));
    expect((await a("cancel", "job")).stderr).toContain("is being ended on host-b");
    await ending.reached();
    ending.open();
    expect((await a("wait", "job")).status).toBe(130);
    expect(isRunning(pid)).toBe(false);

    gate.open();
    await a.ok("retry", "job");
    expect((await a("wait", "job")).status).toBe(0);
    await a.ok("delete", "job");
    expect((await b("show", "job")).status).toBe(1);
  });
});
