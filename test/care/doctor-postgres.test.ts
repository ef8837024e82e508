// The doctor on PostgreSQL: what is wrong with the database, the role and the workers, and what to do.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { randomUUIDv7, SQL } from "bun";
import type { Diagnosis } from "../../src/care/doctor.ts";
import {
  judgeClocks,
  judgeConnections,
  judgeServer,
  judgeSizes,
  judgeTransaction,
  judgeVacuum,
  judgeWakeUps,
} from "../../src/care/postgres-questions.ts";
import { checkUpPostgres } from "../../src/store/postgres/checkup.ts";
import { noPgBouncer, startPgBouncer } from "../support/pgbouncer.ts";
import { noPostgres, postgresServer } from "../support/postgres-server.ts";
import { queuectl } from "../support/queuectl.ts";
import { waitUntil } from "../support/wait-until.ts";

// Real processes on a shared machine: what never comes fails late rather than what comes slowly fails early.
setDefaultTimeout(180_000);

describe.skipIf(noPostgres !== undefined)("on a real server", () => {
  test("a queue that works is healthy, question by question, and asked for no more than it has", async () => {
    await using patient = await newPatient();
    await patient.q.ok("enqueue", "true");
    await patient.q.ok("worker", "--until-empty");
    const { healthy, findings } = await patient.report();
    expect(findings.filter(({ level }) => level !== "ok")).toEqual([]);
    expect(healthy).toBe(true);
    expect(findings.map(({ about }) => about)).toEqual(
      "home,modes,free space,database,schema,rights,whereabouts,settings,clock,wake-ups,connections,transactions,vacuum,sizes,leftovers,workers,running jobs,queues,schedules,alerts".split(
        ",",
      ),
    );
  });

  test("where there is no queue yet, nothing is wrong and none is made", async () => {
    await using patient = await newPatient();
    const { healthy, of } = await patient.report();
    expect(healthy).toBe(true);
    expect(of("database")).toMatchObject({
      level: "ok",
      text: expect.stringContaining("there is no queue yet"),
    });
    const [{ made }] = await patient.sql`select to_regnamespace('queuectl') as made`;
    expect(made).toBeNull();
  });

  test("where there is no queue yet, a role that cannot make one is broken", async () => {
    await using patient = await newPatient();
    const role = `queuectl_test_${process.pid}_${Date.now().toString(36)}`;
    await patient.sql.unsafe(`create role ${role} login`);
    try {
      const url = Object.assign(new URL(patient.url), { username: role, password: "" });
      const database = url.pathname.slice(1);
      expect((await patient.report(url.href)).of("database")).toMatchObject({
        level: "broken",
        text: expect.stringContaining("there is no queue yet, and the role may not make one"),
        mend: expect.stringContaining("grant the role create on the database"),
      });
      await patient.sql.unsafe(`grant create on database ${database} to ${role}`);
      expect((await patient.report(url.href)).of("database").level).toBe("ok");
    } finally {
      await patient.sql.unsafe(`drop owned by ${role}; drop role ${role}`);
    }
  });

  test("a server that is away is broken, and named without the password", async () => {
    await using q = queuectl({ QUEUECTL_DATABASE_URL: "postgres://alice:secret@127.0.0.1:1/jobs" });
    const { status, stdout } = await q("doctor", "--json");
    expect(status).toBe(1);
    expect(stdout).toContain("PostgreSQL 127.0.0.1:1/jobs cannot be reached");
    expect(stdout).not.toContain("secret");
  });

  test("a server that is read-only is broken", async () => {
    await using patient = await newPatient();
    await patient.q.ok("enqueue", "true");
    await patient.sql`do $$ begin execute format('alter database %I set default_transaction_read_only = on', current_database()); end $$`;
    expect((await patient.report()).of("database")).toMatchObject({
      level: "broken",
      text: expect.stringContaining("is read-only"),
    });
  });

  test("that workers are not told of new jobs is a warning, with why", async () => {
    await using patient = await newPatient();
    await patient.q.ok("enqueue", "true");
    const wakeUps = async (listenUrl: string) => (await patient.report(undefined, listenUrl)).of("wake-ups");
    expect(await wakeUps(patient.url)).toMatchObject({ level: "ok", text: "workers are told of new jobs" });
    expect(await wakeUps("off")).toMatchObject({ level: "ok", text: expect.stringContaining("off") });
    expect(await wakeUps("postgres://127.0.0.1:1/jobs")).toMatchObject({
      level: "warning",
      text: expect.stringContaining("cannot be reached"),
      mend: expect.stringContaining("QUEUECTL_LISTEN_URL"),
    });
    expect((await wakeUps("nonsense")).level).toBe("broken");
  });

  test.skipIf(noPgBouncer !== undefined)(
    "workers that listen at a pooler are not told of new jobs",
    async () => {
      await using patient = await newPatient();
      await patient.q.ok("enqueue", "true");
      await using pooler = await startPgBouncer(patient.url);
      const wakeUps = async (listenUrl: string) =>
        (await patient.report(pooler.url, listenUrl)).of("wake-ups");
      expect(await wakeUps(pooler.url)).toMatchObject({ level: "warning" });
      expect(await wakeUps(patient.url)).toMatchObject({ level: "ok" });
    },
  );

  test("what the role may not do is broken, and named", async () => {
    await using patient = await newPatient();
    await patient.q.ok("enqueue", "true");
    const role = `queuectl_test_${process.pid}_${Date.now().toString(36)}`;
    await patient.sql.unsafe(`create role ${role} login; grant usage on schema queuectl to ${role};
      grant select, insert, update, delete on all tables in schema queuectl to ${role};
      revoke insert, update, delete on queuectl.meta from ${role};
      revoke delete on queuectl.attempts from ${role};
      revoke execute on function queuectl.now_ms() from public`);
    try {
      const url = Object.assign(new URL(patient.url), { username: role, password: "" }).href;
      expect((await patient.report(url)).of("rights")).toMatchObject({
        level: "broken",
        text: "the role lacks delete on attempts, execute on function now_ms",
      });
      await patient.sql.unsafe(
        `grant delete on queuectl.attempts to ${role}; grant execute on function queuectl.now_ms to ${role}`,
      );
      expect((await patient.report(url)).of("rights").level).toBe("ok");
    } finally {
      await patient.sql.unsafe(`drop owned by ${role}; drop role ${role}`);
    }
  });

  test("a stored setting that cannot be used, jobs left on their way in and a queue that moved are told", async () => {
    await using patient = await newPatient();
    await patient.q.ok("enqueue", "true");
    await patient.sql`insert into queuectl.settings values ('timeout', 'soon')`;
    // One is still on its way.
    for (const age of [2 * 86_400_000, 3_600_000]) {
      await patient.sql`
        insert into queuectl.staged (
          batch, place, id, given, command, max_retries, priority, timeout, queue, tags, cwd, env, rules, held,
          after, unique_ms
        ) values (
          ${randomUUIDv7("hex", Date.now() - age)}::uuid, 1, 'x', false, 'true', 0, 1, 0, 'q', '[]', '/', '{}', '{}', false, '[]', 0
        )
      `;
    }
    const sick = await patient.report();
    expect(sick.of("settings")).toMatchObject({ level: "broken", mend: "queuectl config unset timeout" });
    expect(sick.of("leftovers")).toMatchObject({
      level: "warning",
      text: expect.stringMatching(/^1 job on the way/),
    });
    await patient.q.ok("migrate", "--to", "sqlite");
    expect((await patient.report()).of("whereabouts")).toMatchObject({
      level: "warning",
      text: expect.stringContaining("moved to"),
    });
  });

  test("a dead worker and the job it ran are warnings until a worker starts", async () => {
    await using patient = await newPatient();
    await patient.q.ok("enqueue", "--id", "left", "exec sleep 10");
    const worker = patient.q.start("worker");
    await worker.says("executing left");
    const lives = await patient.report();
    expect(lives.of("workers").text).toBe("1 worker on 1 host, all heard of");
    expect(lives.of("running jobs")).toMatchObject({ level: "ok", text: "1 job" });
    worker.kill("SIGKILL");
    await worker.exited;
    const { of } = await patient.report();
    expect(of("workers")).toMatchObject({ level: "warning", text: expect.stringContaining("died") });
    expect(of("running jobs")).toMatchObject({ level: "warning", text: "left ran by a worker that is gone" });
    // As one of another machine, of which nothing but its lease is known.
    await patient.sql`update queuectl.worker_processes set host = 'far', boot_id = 'far', heartbeat_at = heartbeat_at - 20000, lease_until = lease_until + 60000`;
    const far = await patient.report();
    expect(far.of("workers").text).toMatch(/ on far \(pid \d+\) said nothing for 2\d s$/);
    expect(far.of("running jobs").level).toBe("ok");
    await patient.sql`update queuectl.worker_processes set lease_until = 0`;
    const gone = await patient.report();
    expect(gone.of("workers").text).toEndWith(" on far died, or lost the way to the database");
    expect(gone.of("running jobs").level).toBe("warning");
    await patient.sql`delete from queuectl.workers`;
    expect((await patient.report()).of("running jobs").level).toBe("warning");
  });

  test("an alert whose messages nobody sends is a warning", async () => {
    await using patient = await newPatient();
    await patient.q.ok("alert", "add", "deaths", "--on", "dead", "--command", "true");
    await patient.sql`update queuectl.alerts set gather = 3600`;
    expect((await patient.report()).of("alerts").level).toBe("ok");
    await patient.sql`
      insert into queuectl.outbox (id, alert, event, happened_at, about) values ('a', 'deaths', 'dead', 0, '{}')
    `;
    await patient.sql`
      insert into queuectl.deliveries (id, alert, event, message, created_at, due_at)
      values ('a', 'deaths', 'dead', '{}', 0, 1)
    `;
    const now = Date.now();
    // Those may come still, and that one was given up too long ago.
    await patient.sql`
      insert into queuectl.outbox (id, alert, event, happened_at, about) values ('b', 'deaths', 'dead', ${now - 3_605_000}, '{}')
    `;
    await patient.sql`
      insert into queuectl.deliveries (id, alert, event, message, state, created_at, due_at, tried_at)
      values ('b', 'deaths', 'dead', '{}', 'waiting', 0, ${now}, 1), ('c', 'deaths', 'dead', '{}', 'given_up', 0, null, 1)
    `;
    expect((await patient.report()).of("alerts")).toMatchObject({
      level: "warning",
      text: "2 messages of deaths should have been sent, and nobody tries",
    });
    await patient.sql`update queuectl.deliveries set tried_at = ${now}`;
    expect((await patient.report()).of("alerts").text).toBe("deaths gave up 1 message");
    await patient.q.ok("alert", "pause", "deaths");
    expect((await patient.report()).of("alerts").level).toBe("ok");
  });

  test("a schedule whose time has come and that nobody keeps is a warning", async () => {
    await using patient = await newPatient();
    await patient.q.ok("schedule", "add", "nightly", "@daily", "true");
    expect((await patient.report()).of("schedules").level).toBe("ok");
    await patient.sql`update queuectl.schedules set next_at = queuectl.now_ms() - 5000`;
    expect((await patient.report()).of("schedules").level).toBe("ok");
    await patient.sql`update queuectl.schedules set next_at = next_at - 2 * 86400000`;
    expect((await patient.report()).of("schedules")).toMatchObject({
      level: "warning",
      text: expect.stringContaining("nightly"),
    });
  });

  test("a queue that is paused for long while jobs wait is named", async () => {
    await using patient = await newPatient();
    await patient.q.ok("enqueue", "true", "--queue", "done");
    await patient.q.ok("enqueue", "false", "--queue", "mail", "--backoff-base", "1000");
    const worker = patient.q.start("worker");
    await waitUntil("it waits for its retry", async () => (await patient.q.json("status")).failed === 1);
    worker.kill("SIGTERM");
    await worker.exited;
    await patient.q.ok("queue", "pause", "mail", "empty", "done");
    expect((await patient.report()).of("queues").level).toBe("ok");
    await patient.sql`update queuectl.queues set paused_at = paused_at - 2 * 86400000`;
    expect((await patient.report()).of("queues")).toMatchObject({
      level: "warning",
      text: expect.stringMatching(/^mail is paused/),
    });
  });

  test("the longest open transaction is found, with what ends it", async () => {
    await using patient = await newPatient();
    await patient.q.ok("enqueue", "true");
    await using elsewhere = await (await postgresServer()).newDatabase();
    await using away = new SQL(elsewhere.url, { max: 1 });
    await using other = new SQL(patient.url, { max: 2 });
    await using checkup = await checkUpPostgres({ url: patient.url, listenUrl: undefined });
    // What is open in another database keeps nothing here.
    await away.begin(async (far) => {
      await far`select 1`;
      await other.begin(async (tx) => {
        const [{ pid }] = await tx`select pg_backend_pid() as pid`;
        await other.begin(async (later) => {
          await later`select 1`;
          expect((await checkup.oldestTransaction())?.end).toBe(`select pg_terminate_backend(${pid})`);
        });
        const { level, text } = (await patient.report()).of("transactions");
        expect([level, text]).toEqual(["ok", expect.stringMatching(/^the oldest is open for /)]);
      });
      expect((await patient.report()).of("transactions").text).toBe("none is open");
    });
  });

  test("backup refuses and names what makes one", async () => {
    await using patient = await newPatient();
    const { status, stderr } = await patient.q("backup", "monday.dump");
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^queuectl: this queue is in PostgreSQL.*pg_dump --schema=queuectl .*monday\.dump.*\n$/,
    );
  });
});

describe("what is judged", () => {
  test("servers older than 15", () => {
    const schema = { version: 1, newest: 1 };
    expect(
      judgeServer({ serverVersion: 140_012, isReadOnly: false, mayMakeQueue: false, schema }),
    ).toMatchObject({
      level: "broken",
      text: "PostgreSQL 14.12 is too old",
    });
    expect(
      judgeServer({ serverVersion: 150_018, isReadOnly: false, mayMakeQueue: false, schema }),
    ).toMatchObject({
      level: "ok",
      text: "PostgreSQL 15.18",
    });
  });

  test("clocks that are apart", () => {
    expect(judgeClocks(1_000_000, 1_001_000).level).toBe("ok");
    expect(judgeClocks(1_000_000, 1_060_000)).toMatchObject({
      level: "warning",
      text: expect.stringContaining("1m behind"),
    });
  });

  test("words that do not come to who listens", () => {
    expect(judgeWakeUps(false)).toMatchObject({
      level: "warning",
      text: expect.stringContaining("a pooler stands where they listen"),
    });
  });

  test("few connections left", () => {
    expect(judgeConnections({ used: 20, most: 100 }).level).toBe("ok");
    expect(judgeConnections({ used: 80, most: 100 }).level).toBe("warning");
  });

  test("transactions that are open for long", () => {
    const oldest = {
      name: "session 7 of alice (psql)",
      end: "select pg_terminate_backend(7)",
      seconds: 3600,
    };
    expect(judgeTransaction(null).level).toBe("ok");
    expect(judgeTransaction({ ...oldest, seconds: 10 }).level).toBe("ok");
    expect(judgeTransaction(oldest)).toMatchObject({
      level: "warning",
      text: expect.stringContaining("session 7 of alice (psql) has one open for 1h"),
      mend: expect.stringContaining("pg_terminate_backend(7)"),
    });
  });

  test("tables full of dead rows, and indexes far too large for what is in them", () => {
    const jobs = { name: "jobs", live: 100_000, dead: 5_000, vacuumed_at: 0, bytes: 1e8 };
    expect(judgeVacuum([jobs], 60_000)).toMatchObject({
      level: "ok",
      text: expect.stringContaining("vacuumed 1m ago"),
    });
    expect(judgeVacuum([{ ...jobs, dead: 50_000, vacuumed_at: null }], 60_000)).toMatchObject({
      level: "warning",
      text: "jobs has 50000 dead rows beside 100000 live ones, never vacuumed",
    });
    expect(judgeVacuum([{ ...jobs, dead: 15_000 }], 60_000).level).toBe("ok");
    const worst = { ...jobs, name: "attempts", dead: 90_000 };
    expect(judgeVacuum([{ ...jobs, dead: 50_000 }, worst], 60_000).text).toStartWith(
      "attempts has 90000 dead",
    );
    const index = { name: "jobs_ready", entries: 10, bytes: 1e8 };
    expect(judgeSizes([jobs], [{ ...index, entries: 1e6 }]).level).toBe("ok");
    expect(judgeSizes([jobs], [index])).toMatchObject({
      level: "warning",
      mend: "reindex index concurrently queuectl.jobs_ready",
    });
  });
});

async function newPatient() {
  const database = await (await postgresServer()).newDatabase();
  const q = queuectl({ QUEUECTL_DATABASE_URL: database.url });
  const sql = new SQL(database.url, { max: 1 });
  return {
    q,
    sql,
    url: database.url,
    async report(url = database.url, listenUrl?: string) {
      const env = { QUEUECTL_DATABASE_URL: url, ...(listenUrl && { QUEUECTL_LISTEN_URL: listenUrl }) };
      const { stdout, stderr } = await q.with({ env }, "doctor", "--json");
      expect(stderr).toBe("");
      const { healthy, findings } = JSON.parse(stdout) as { healthy: boolean; findings: Diagnosis[] };
      for (const { level, mend } of findings) expect(mend === undefined).toBe(level === "ok");
      return {
        healthy,
        findings,
        of: (about: string) => findings.find((finding) => finding.about === about)!,
      };
    },
    async [Symbol.asyncDispose]() {
      await q[Symbol.asyncDispose]();
      await sql.close();
      await database[Symbol.asyncDispose]();
    },
  };
}
