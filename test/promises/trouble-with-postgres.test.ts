// Promise 7 on PostgreSQL: whatever becomes of the server or of the way to it, the command line says one line and a worker's
// commands go on; what they came to is stored when the trouble is over, once, and the worker resumes by itself.

import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SQL } from "bun";
import { runFolder } from "../../src/home.ts";
import { limitFiles } from "../support/descriptors.ts";
import { makeGate } from "../support/gate.ts";
import { postgresPrograms, startPostgres } from "../support/own-postgres.ts";
import { noPostgres, postgresServer, type TempPostgres } from "../support/postgres-server.ts";
import { type Queuectl, queuectl, type Result } from "../support/queuectl.ts";
import { tcpProxy } from "../support/tcp-proxy.ts";
import { waitUntil } from "../support/wait-until.ts";
import { webServer } from "../support/web-server.ts";

// Real processes on a shared machine, and a network that is given up after 8 seconds.
setDefaultTimeout(180_000);

const testOnPostgres = test.skipIf(noPostgres !== undefined);
const noOwnServer = noPostgres !== undefined || !existsSync("/usr/lib/postgresql");
const testOnOwnServer = test.skipIf(noOwnServer);

const password = "hunter2";

const newDatabase = async () => (await postgresServer()).newDatabase();

const on = (url: string) => queuectl({ QUEUECTL_DATABASE_URL: withPassword(url) });

/** It is asked for by no server here, and may stand in no message all the same. */
const withPassword = (url: string) => Object.assign(new URL(url), { password }).href;

/** One line on stderr, nothing on stdout, exit status 1. */
function expectPlainly(result: Result, says: RegExp): void {
  expect(result).toEqual({
    status: 1,
    stdout: "",
    stderr: expect.stringMatching(/^queuectl: [^\n]+ \([^\n]+\)\n$/),
  });
  expect(result.stderr).toMatch(says);
  expect(result.stderr).not.toContain(password);
}

async function expectAllPlainly(q: Queuectl, says: RegExp): Promise<void> {
  for (const words of [["enqueue", "true"], ["list"], ["worker", "--until-empty"]]) {
    expectPlainly(await q(...words), says);
  }
}

/** A worker with a job that runs, and goes on until the trouble has come. */
async function workerAtGate(q: Queuectl) {
  const gate = makeGate(q);
  const runs = join(q.folder, "runs");
  await q.ok("enqueue", `echo run >> '${runs}'; ${gate.command}`, "--id", "a");
  const worker = q.start("worker");
  await gate.reached();
  return {
    worker,
    gate,
    /** Ran once, and what came of it was stored; and the worker does what comes next. */
    async expectResumed(direct: Queuectl = q): Promise<void> {
      await worker.says("the database answers again");
      expect((await direct("wait", "a", "--timeout", "60")).status).toBe(0);
      const job = await direct.json("show", "a");
      expect(job).toMatchObject({ state: "completed", attempts: 1 });
      expect(job.attempts_history).toHaveLength(1);
      expect(readFileSync(runs, "utf8")).toBe("run\n");
      await direct.ok("enqueue", "true", "--id", "next");
      expect((await direct("wait", "next", "--timeout", "60")).status).toBe(0);
      expect(worker.stderr()).not.toMatch(/\n\s+at |bun:sql|expelled|counted as gone/);
      expect(worker.stderr()).not.toContain(password);
    },
  };
}

testOnPostgres("a worker that cannot enter ends, and says why", async () => {
  await using database = await newDatabase();
  await using q = on(database.url);
  await q.ok("enqueue", "true");
  writeFileSync(runFolder(q.home), "no folder");
  expectPlainly(await q("worker"), /not a directory|file exists|file already exists/);
});

test.skipIf(noOwnServer || process.platform !== "linux")(
  "a worker that may open no more files sees its lease end all the same, and ends what it runs",
  async () => {
    await using server = await startPostgres();
    await using q = on(server.url);
    await q.ok("config", "set", "lease", "6");
    const { worker } = await workerAtGate(q);
    limitFiles(worker.pid, 3);
    await server.stop("kill");
    await worker.says("others may run what runs here: ending a");
    expect(worker.stderr()).not.toMatch(/\n\s+at |uptime/);
  },
);

for (const how of ["fast", "immediate", "kill"] as const) {
  testOnOwnServer(`a server that is stopped (${how}) and comes back`, async () => {
    await using server = await startPostgres();
    await using q = on(server.url);
    const { worker, gate, expectResumed } = await workerAtGate(q);
    await server.stop(how);
    await expectAllPlainly(q, /cannot be reached .*check that the server runs/);
    gate.open();
    await worker.says("results are kept until it answers");
    await server.start();
    await expectResumed();
  });
}

testOnOwnServer(
  "a server that goes and comes back under those who watch: run, wait and logs --follow go on",
  async () => {
    await using server = await startPostgres();
    await using q = on(server.url);
    const gate = makeGate(q);
    const run = q.start(
      "run",
      `echo begun; ${gate.command}; echo over; exit 5`,
      "--id",
      "a",
      "--max-retries",
      "0",
    );
    await gate.reached();
    const wait = q.start("wait", "a");
    const logs = q.start("logs", "a", "--follow");
    await waitUntil("its output is followed", () => logs.stdout() === "begun\n");
    // run has two: its worker is one more.
    await waitUntil("all of them listen", async () => (await listeners(server.url)) === 4);
    await server.stop("immediate");
    // Or it is told that the server is shutting down.
    for (const one of [run, wait, logs]) await one.says("until it answers");
    await server.start();
    await wait.says("the database answers again");
    gate.open();
    expect(await Promise.all([run.exited, wait.exited, logs.exited])).toEqual([5, 5, 0]);
    expect([run.stdout(), logs.stdout()]).toEqual(["begun\nover\n", "begun\nover\n"]);
  },
);

async function listeners(url: string): Promise<number> {
  await using sql = new SQL(url, { max: 1 });
  return (await sql`select from pg_stat_activity where query ilike 'listen %'`).length;
}

testOnOwnServer("a server that stays away does not keep wait for longer than its time", async () => {
  await using server = await startPostgres();
  await using q = on(server.url);
  await q.ok("enqueue", "true", "--id", "a");
  const wait = q.start("wait", "a", "--timeout", "3");
  await wait.says("no worker serves");
  await server.stop("immediate");
  await wait.says("cannot be reached");
  expect(await wait.exited).toBe(124);
  await server.start();
});

testOnPostgres("sessions that an administrator ends", async () => {
  await using database = await newDatabase();
  await using q = on(database.url);
  const { gate, expectResumed, worker } = await workerAtGate(q);
  for (let n = 0; n < 20; n++) await database.terminateBackends();
  gate.open();
  for (let n = 0; n < 20; n++) await database.terminateBackends();
  expect((await q("wait", "a", "--timeout", "60")).status).toBe(0);
  // It may have noticed nothing at all.
  if (!worker.stderr().includes("results are kept")) {
    expect(await q.json("show", "a")).toMatchObject({ state: "completed", attempts: 1 });
    return;
  }
  await expectResumed();
});

testOnPostgres("a network that refuses, and one that cuts", async () => {
  await using database = await newDatabase();
  await using proxy = await tcpProxy(database.url);
  await using q = on(proxy.url);
  const { worker, gate, expectResumed } = await workerAtGate(q);
  await proxy.refuse();
  await expectAllPlainly(q, /cannot be reached/);
  gate.open();
  await worker.says("cannot be reached");
  await proxy.pass();
  proxy.cut();
  await expectResumed();
});

testOnPostgres(
  "a network that swallows: everybody gives up in time, and nothing is done twice when it delivers",
  async () => {
    await using database = await newDatabase();
    await using proxy = await tcpProxy(database.url);
    await using q = on(proxy.url);
    await using direct = on(database.url);
    const { worker, gate, expectResumed } = await workerAtGate(q);
    await proxy.swallow();
    gate.open();
    const asked = performance.now();
    expectPlainly(await q("status"), /does not answer/);
    expect(performance.now() - asked).toBeLessThan(60_000);
    await worker.says("does not answer");
    await proxy.pass();
    await expectResumed(direct);
  },
);

testOnPostgres("a server that became read-only, as a standby is", async () => {
  await using database = await newDatabase();
  await using q = on(database.url);
  const { worker, gate, expectResumed } = await workerAtGate(q);
  await database.setReadOnly(true);
  expectPlainly(await q("enqueue", "true"), /read-only, as a standby is .*primary/);
  expect((await q("list")).status).toBe(0);
  gate.open();
  await worker.says("is read-only");
  // Its sessions are not ended this time: whoever met a standby looks for the primary anew.
  await using outside = await newDatabase();
  await administer(outside.url, `alter database ${database.name} reset default_transaction_read_only`);
  await expectResumed();
});

testOnPostgres(
  "a fail-over to an empty server: a worker makes no queue there, and waits for its own",
  async () => {
    await using own = await newDatabase();
    await using empty = await newDatabase();
    await using q = on(own.url);
    const { worker, gate, expectResumed } = await workerAtGate(q);
    await swap(own, empty);
    gate.open();
    await worker.says("has not the tables that queuectl made");
    expect(await hasSchema(own)).toBe(false);
    await swap(own, empty);
    await expectResumed();
    expect(await hasSchema(empty)).toBe(false);
  },
);

testOnPostgres("a fail-over to another queue: a worker touches it not, and waits for its own", async () => {
  await using own = await newDatabase();
  await using other = await newDatabase();
  await using there = on(other.url);
  await there.ok("enqueue", "true", "--id", "foreign");
  await using q = on(own.url);
  const { worker, gate, expectResumed } = await workerAtGate(q);
  await swap(own, other);
  gate.open();
  await worker.says("holds another queue than before");
  expect((await q.json("list")).map(({ id }: { id: string }) => id)).toEqual(["foreign"]);
  expect(await q.json("show", "foreign")).toMatchObject({ state: "pending", attempts: 0 });
  await swap(own, other);
  await expectResumed();
  expect(await there.json("worker", "list")).toEqual([]);
});

testOnOwnServer(
  "a dump that is restored under a worker: the worker touches it not, and a new one runs what it holds",
  async () => {
    await using server = await startPostgres();
    await using q = on(server.url);
    await q.ok("config", "set", "lease", "6");
    const { worker, gate } = await workerAtGate(q);
    const dump = join(q.folder, "dump");
    await ofServer("pg_dump", "--format=custom", "--file", dump, server.url);
    gate.open();
    expect((await q("wait", "a", "--timeout", "60")).status).toBe(0);
    const later = makeGate(q);
    await q.ok("enqueue", later.command, "--id", "since");
    await later.reached();
    await ofServer("pg_restore", "--clean", "--if-exists", "--dbname", server.url, dump);
    // It has the number that the job had which was enqueued since the dump, and which runs.
    await q.ok("enqueue", "true", "--id", "next");
    await worker.says("holds another queue than before, or a copy of it that was restored");
    await worker.says("ending since");
    expect(await q.json("show", "next")).toMatchObject({ state: "pending", attempts: 0 });
    worker.kill("SIGTERM");
    expect(await worker.exited).toBe(1);
    expect((await q("worker", "--until-empty")).status).toBe(0);
    for (const id of ["a", "next"])
      expect(await q.json("show", id)).toMatchObject({ state: "completed", attempts: 1 });
  },
);

testOnPostgres("a restore that has not come to its constraints yet: a worker waits for them", async () => {
  await using database = await newDatabase();
  await using q = on(database.url);
  const { worker, gate, expectResumed } = await workerAtGate(q);
  await administer(database.url, "alter table queuectl.attempts drop constraint attempts_pkey");
  gate.open();
  await worker.says("has not the tables that queuectl made");
  await administer(database.url, "alter table queuectl.attempts add primary key (job_seq, number)");
  await expectResumed();
});

testOnOwnServer(
  "a server without connections left: a line from the command line, and a worker goes on",
  async () => {
    await using server = await startPostgres("max_connections = 10", "superuser_reserved_connections = 0");
    await using q = on(server.url);
    const { worker, gate } = await workerAtGate(q);
    const others: SQL[] = [];
    // All that are left.
    await waitUntil("the server is full", async () => {
      const one = new SQL(server.url, { max: 1 });
      others.push(one);
      return one`select 1`.then(
        () => false,
        () => true,
      );
    });
    expectPlainly(
      await q("enqueue", "true"),
      /no connection left: .*too many clients already .*max_connections.*PgBouncer/,
    );
    gate.open();
    await worker.says("job a completed");
    for (const one of others) await one.close();
    expect(worker.stderr()).not.toContain("results are kept");
    await q.ok("enqueue", "true", "--id", "next");
    expect((await q("wait", "next", "--timeout", "60")).status).toBe(0);
  },
);

testOnPostgres("a role or a database that may have no more connections is named", async () => {
  await using database = await newDatabase();
  await using outside = await newDatabase();
  const role = `${database.name}_role`;
  await administer(outside.url, `create role ${role} login connection limit 0`);
  try {
    await using q = on(Object.assign(new URL(database.url), { username: role }).href);
    const advice = ".*the limit of the role or of the database";
    expectPlainly(await q("enqueue", "true"), new RegExp(`connections for role "${role}"${advice}`));
    await administer(outside.url, `alter role ${role} connection limit -1`);
    await administer(outside.url, `alter database ${database.name} connection limit 0`);
    expectPlainly(
      await q("enqueue", "true"),
      new RegExp(`connections for database "${database.name}"${advice}`),
    );
  } finally {
    await administer(outside.url, `drop role ${role}`);
  }
});

testOnPostgres(
  "a table that another program locks: a line from the command line, and a worker waits",
  async () => {
    await using database = await newDatabase();
    await using q = on(database.url);
    const { gate, worker } = await workerAtGate(q);
    await using other = new SQL(database.url, { max: 1 });
    const lock = await other.reserve();
    await lock`begin`;
    await lock`lock table queuectl.jobs in access exclusive mode`;
    const refused = q("enqueue", "true", "--id", "b");
    gate.open();
    expectPlainly(await refused, /a lock that is in the way .*pg_locks/);
    await lock`rollback`;
    lock.release();
    expect((await q("wait", "a", "--timeout", "60")).status).toBe(0);
    expect(await q.json("show", "a")).toMatchObject({ state: "completed", attempts: 1 });
    expect((await q.json("status")).total).toBe(1);
    expect(worker.stderr()).not.toMatch(/\n\s+at /);
  },
);

testOnPostgres(
  "a database, a user, a host or a URL that is wrong is named, without the password",
  async () => {
    await using database = await newDatabase();
    await using q = on(database.url);
    const ask = (change: (url: URL) => void, ...words: string[]) => {
      const url = new URL(withPassword(database.url));
      change(url);
      return q.with({ env: { QUEUECTL_DATABASE_URL: url.href } }, ...words);
    };
    const wrong = (part: "pathname" | "username" | "port" | "hostname", value: string) =>
      ask((url) => Object.assign(url, { [part]: value }), "enqueue", "true");
    expectPlainly(await wrong("pathname", "no_such_database"), /no_such_database.*createdb/);
    expectPlainly(await wrong("username", "nobody_here"), /does not let us in.*check user, password/);
    expectPlainly(await wrong("port", "1"), /cannot be reached/);
    expectPlainly(await wrong("hostname", "nowhere.invalid"), /cannot be reached/);
    for (const url of [
      `postgres://u:${password}%ZZ@127.0.0.1/x`,
      `postgres://u:${password}@a,b/x`,
      `postgres://u:${password}@127.0.0.1:99999/x`,
      `postgres://u:${password}@127.0.0.1/x?sslmode=bogus`,
      `postgres://u:${password}@127.0.0.1/x?sslrootcert=/nowhere`,
    ]) {
      const { status, stdout, stderr } = await q.with({ env: { QUEUECTL_DATABASE_URL: url } }, "list");
      expect({ url, status, stdout, lines: stderr.split("\n").length }).toEqual({
        url,
        status: 2,
        stdout: "",
        lines: 2,
      });
      expect(stderr).not.toContain(password);
    }
  },
);

testOnOwnServer("a wrong password is said", async () => {
  await using server = await startPostgres();
  await administer(server.url, `create role someone login password '${password}'`);
  const [{ data_directory }] = await administer(server.url, "show data_directory");
  const rules = join(data_directory, "pg_hba.conf");
  await Bun.write(rules, `host all someone 127.0.0.1/32 scram-sha-256\n${readFileSync(rules, "utf8")}`);
  await administer(server.url, "select pg_reload_conf()");
  const url = new URL(server.url);
  Object.assign(url, { username: "someone", password: "wrong-one" });
  await using q = queuectl({ QUEUECTL_DATABASE_URL: url.href });
  const refused = await q("enqueue", "true");
  expectPlainly(refused, /does not let us in: .*password authentication failed.*check user, password/);
  expect(refused.stderr).not.toContain("wrong-one");
});

testOnPostgres(
  "a schema newer than the program is named, and a role without rights is told what it lacks",
  async () => {
    await using database = await newDatabase();
    await using q = on(database.url);
    await q.ok("enqueue", "true");
    await administer(database.url, "update queuectl.meta set version = 999");
    expectPlainly(await q("enqueue", "true"), /schema 999.*newer queuectl/);
    await using other = await newDatabase();
    const role = `${other.name}_role`;
    await administer(other.url, `create role ${role} login`);
    try {
      const url = Object.assign(new URL(other.url), { username: role }).href;
      expectPlainly(
        await q.with({ env: { QUEUECTL_DATABASE_URL: url } }, "enqueue", "true"),
        /permission denied .*grant the role/,
      );
      expect(await hasSchema(other)).toBe(false);
    } finally {
      await administer(other.url, `drop role ${role}`);
    }
  },
);

testOnPostgres("a text that the database's encoding has not is refused, and says what to make", async () => {
  await using outside = await newDatabase();
  await using database = await newDatabase();
  await administer(outside.url, `drop database ${database.name}`);
  await administer(
    outside.url,
    `create database ${database.name} template template0 encoding 'LATIN1' lc_collate 'C' lc_ctype 'C'`,
  );
  await using q = on(database.url);
  await q.ok("enqueue", "echo für", "--id", "a");
  for (const words of [
    ["enqueue", "echo 5 €"],
    ["edit", "a", "--command", "echo 5 €"],
    ["list", "--search", "€"],
  ]) {
    expectPlainly(await q(...words), /cannot keep this text: .*LATIN1.*createdb --encoding UTF8/);
  }
  expect(await q.json("list")).toMatchObject([{ id: "a", command: "echo für" }]);
});

testOnOwnServer(
  "the dashboard says 503 with the reason while the server is away, and heals by itself",
  async () => {
    await using server = await startPostgres();
    await using q = on(server.url);
    await q.ok("enqueue", "true", "--id", "a");
    await using web = await webServer({ q });
    const page = async (path: string) => {
      const reply = await fetch(`${web.url}${path}`);
      return { status: reply.status, text: await reply.text() };
    };
    expect((await page("/jobs")).text).toContain("a");
    await server.stop("kill");
    for (const path of ["/", "/jobs", "/api/v1/stats"]) {
      const { status, text } = await page(path);
      expect({ path, status }).toEqual({ path, status: 503 });
      expect(text).toContain("cannot be reached");
      expect(text).not.toContain(password);
    }
    await server.start();
    await waitUntil("it heals", async () => (await page("/jobs")).status === 200);
  },
);

testOnPostgres("the dashboard over a network that swallows answers 503 in time", async () => {
  await using database = await newDatabase();
  await using proxy = await tcpProxy(database.url);
  await using q = on(proxy.url);
  await q.ok("enqueue", "true", "--id", "a");
  await using web = await webServer({ q });
  expect((await fetch(`${web.url}/jobs`)).status).toBe(200);
  await proxy.swallow();
  const reply = await fetch(`${web.url}/jobs`, { signal: AbortSignal.timeout(60_000) });
  expect(reply.status).toBe(503);
  await proxy.pass();
  await waitUntil("it heals", async () => (await fetch(`${web.url}/jobs`)).status === 200);
});

testOnPostgres(
  "a command uses one connection, and a worker at rest two: one to ask, one to listen",
  async () => {
    await using database = await newDatabase();
    await using q = on(database.url);
    await q.ok("enqueue", "true", "--id", "a");
    q.start("worker");
    expect((await q("wait", "a", "--timeout", "60")).status).toBe(0);
    await waitUntil("it rests", async () => (await sessions(database)) === 2, 60_000);
  },
);

const sessions = async ({ url }: TempPostgres): Promise<number> =>
  (
    await administer(
      url,
      "select count(*)::int as n from pg_stat_activity where datname = current_database() and application_name = 'queuectl'",
    )
  )[0].n;

const hasSchema = async ({ url }: TempPostgres): Promise<boolean> =>
  (await administer(url, "select from pg_namespace where nspname = 'queuectl'")).length > 0;

// biome-ignore lint/suspicious/noExplicitAny: rows of whatever is asked
async function administer(url: string, statement: string): Promise<any[]> {
  await using sql = new SQL(url, { max: 1 });
  return await sql.unsafe(statement);
}

/** Runs one of the programs that come with the server. */
async function ofServer(program: string, ...words: string[]): Promise<void> {
  expect(await Bun.spawn([join(postgresPrograms()!, program), ...words]).exited).toBe(0);
}

/** Puts each database in the other's place, as a fail-over does with servers. */
async function swap(one: TempPostgres, other: TempPostgres): Promise<void> {
  await using outside = await newDatabase();
  const names = [one.name, other.name];
  const each = (does: string) => names.map((name) => `alter database ${name} ${does}`);
  for (const alter of each("allow_connections false")) await administer(outside.url, alter);
  for (const database of [one, other]) await database.terminateBackends();
  const [first, second] = names as [string, string];
  const moves = [
    [first, `${first}_aside`],
    [second, first],
    [`${first}_aside`, second],
  ];
  for (const [from, to] of moves) {
    await waitUntil("the last session has ended", () =>
      administer(outside.url, `alter database ${from} rename to ${to}`).then(
        () => true,
        () => false,
      ),
    );
  }
  for (const alter of each("allow_connections true")) await administer(outside.url, alter);
}
