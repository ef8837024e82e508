// Output of jobs whose queue is on PostgreSQL: seen on every machine, whole, and never twice. A machine is a home folder of its own
// here: nothing of one is looked for in the other.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureFolderOf, jobLogPath, spoolPath } from "../../src/home.ts";
import { openStore } from "../../src/store/open.ts";
import { pruneSpool } from "../../src/worker/job-logs.ts";
import { type Gate, makeGate } from "../support/gate.ts";
import { noPostgres, postgresServer } from "../support/postgres-server.ts";
import { type Queuectl, queuectl } from "../support/queuectl.ts";
import { jobIn, runningJob } from "../support/sample-jobs.ts";
import { shell } from "../support/shell.ts";
import { type TcpProxy, tcpProxy } from "../support/tcp-proxy.ts";
import { tempFolder } from "../support/temp-home.ts";
import { postgres } from "../support/temp-postgres.ts";
import { tempStore } from "../support/temp-store.ts";
import { waitUntil } from "../support/wait-until.ts";
import { webServer } from "../support/web-server.ts";

setDefaultTimeout(180_000);

interface Machines extends AsyncDisposable {
  /** Where jobs run. */
  readonly near: Queuectl;
  /** Where they are looked at. */
  readonly far: Queuectl;
  readonly url: string;
  readonly proxy: TcpProxy | undefined;
}

/** Two machines and their database, which the one where jobs run may reach through a network that breaks. */
async function twoMachines({ proxied = false } = {}): Promise<Machines> {
  const database = await (await postgresServer()).newDatabase();
  const proxy = proxied ? await tcpProxy(database.url) : undefined;
  const near = queuectl({ QUEUECTL_DATABASE_URL: proxy?.url ?? database.url });
  const far = queuectl({ QUEUECTL_DATABASE_URL: database.url });
  return {
    near,
    far,
    url: database.url,
    proxy,
    async [Symbol.asyncDispose]() {
      await proxy?.pass();
      await near[Symbol.asyncDispose]();
      await far[Symbol.asyncDispose]();
      await proxy?.[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

/** What `logs` prints, byte for byte. */
const bytesOf = async ({ far, url }: Machines, id: string) =>
  (await shell(far, `queuectl logs ${id}`, { QUEUECTL_DATABASE_URL: url })).stdout;

const shown = (machines: Machines, id: string, text: string) =>
  waitUntil(`${JSON.stringify(text)} is shown`, async () =>
    (await machines.far.ok("logs", id)).includes(text),
  );

const spooled = ({ near }: Machines) => {
  const folder = join(near.home, "spool");
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".log"));
};

describe.skipIf(noPostgres !== undefined)("output of a queue on PostgreSQL", () => {
  test("is followed on another machine while the job runs", async () => {
    await using machines = await twoMachines();
    const { near, far } = machines;
    const gates = [makeGate(near), makeGate(near)] as const;
    near.start("worker");
    await far.ok(
      "enqueue",
      `echo one; ${gates[0].command}; echo two >&2; ${gates[1].command}; printf three`,
      "--id",
      "job",
    );
    const follow = far.start("logs", "job", "--follow");
    await waitUntil("the first line is shown", () => follow.stdout() === "one\n");
    gates[0].open();
    await waitUntil("the second line is shown", () => follow.stdout() === "one\ntwo\n");
    gates[1].open();
    expect(await follow.exited).toBe(0);
    await waitUntil("all is shown", () => follow.stdout() === "one\ntwo\nthree");
    expect(spooled(machines)).toEqual([]);
  });

  test("is in the dashboard of another machine: live, raw, searched, by the API", async () => {
    await using machines = await twoMachines();
    const { near, far } = machines;
    await using web = await webServer({ q: far });
    const gate = makeGate(near);
    near.start("worker");
    await far.ok("enqueue", `seq 3000; ${gate.command}; echo 'the end'`, "--id", "job");
    await shown(machines, "job", "3000");
    const stream = (await web.get("/jobs/job/log/stream?attempt=1")).body!.getReader();
    let live = "";
    const heard = async (text: string) => {
      while (!live.includes(text)) live += new TextDecoder().decode((await stream.read()).value);
    };
    await heard('id="L3000"');
    expect(await (await web.get("/jobs/job")).text()).toContain('id="L3000"');
    gate.open();
    await heard("the end");
    await heard("event: done");
    const whole = `${Array.from({ length: 3000 }, (_, n) => n + 1).join("\n")}\nthe end\n`;
    const raw = await web.get("/jobs/job/log?attempt=1");
    expect([raw.status, await raw.text()]).toEqual([200, whole]);
    expect(await (await web.api("GET", "/jobs/job/attempts/1/log")).text()).toBe(whole);
    const part = await web.get("/jobs/job/log?attempt=1", { range: "bytes=13893-" });
    expect([part.status, await part.text()]).toEqual([206, whole.slice(13_893)]);
    const found = await (await web.get("/jobs/job?attempt=1&find=END")).text();
    expect(found).toContain("#L3001");
  });

  test("is kept byte for byte, however much it is", async () => {
    await using machines = await twoMachines();
    const { near, far } = machines;
    const bytes = Buffer.alloc(20_000_000);
    for (let at = 0; at < bytes.length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
    const file = join(near.folder, "bytes");
    writeFileSync(file, bytes);
    await far.ok("enqueue", "--id", "job", "--", "cat", file);
    await near.ok("worker", "--until-empty");
    expect((await bytesOf(machines, "job")).equals(bytes)).toBe(true);
    expect(spooled(machines)).toEqual([]);
    const [run] = (await far.json("show", "job")).attempts_history;
    expect(run).toMatchObject({ log_bytes: bytes.length, log_truncated: false });
  });

  /** What `seq` prints, and what is kept of it. */
  function kept(last: number, most: number) {
    const whole = Buffer.from(`${Array.from({ length: last }, (_, n) => n + 1).join("\n")}\n`);
    const parts = [whole.subarray(0, most / 2), whole.subarray(whole.length - most / 2)];
    return { text: Buffer.concat(parts), log_left_out: whole.length - most };
  }

  test("beyond the limit has its beginning and its end, and every reader knows what is missing between", async () => {
    await using machines = await twoMachines();
    const { near, far } = machines;
    await using web = await webServer({ q: far });
    await far.ok("config", "set", "log_limit", "300KiB");
    await far.ok("enqueue", "seq 1000000", "--id", "job");
    await near.ok("worker", "--until-empty");
    const { text, log_left_out } = kept(1_000_000, 300 * 1024);
    const [run] = (await far.json("show", "job")).attempts_history;
    expect(run).toMatchObject({ log_bytes: text.length, log_truncated: true, log_left_out });
    expect((await bytesOf(machines, "job")).equals(text)).toBe(true);
    expect((await far("logs", "job")).stderr).toContain(
      "6.3 MiB of the output were left out here, after 150 KiB",
    );
    const raw = await web.get("/jobs/job/log?attempt=1");
    expect(raw.headers.get("queuectl-left-out")).toBe(`bytes=${log_left_out}; after=${150 * 1024}`);
    expect(Buffer.from(await raw.arrayBuffer()).equals(text)).toBe(true);
    await using store = await openStore({ home: far.home, database: machines.url });
    const of = { job_seq: 1, attempt: 1, stream: "stdout" } as const;
    expect(await store.output!.gap(of)).toEqual({ from: 150 * 1024, to: 150 * 1024 + log_left_out });
    expect(spooled(machines)).toEqual([]);
  });

  test("that never ends is seen on another machine while it goes on, and neither disk nor database has more than is kept", async () => {
    await using machines = await twoMachines();
    const { near, far, url } = machines;
    await far.ok("config", "set", "log_limit", "1MiB");
    await far.ok("enqueue", "seq 100000000000", "--id", "job", "--timeout", "6", "--max-retries", "0");
    const worker = near.start("worker", "--until-empty");
    await using store = await openStore({ home: far.home, database: url });
    const of = { job_seq: 1, attempt: 1, stream: "stdout" } as const;
    const size = () => store.output!.size(of);
    await waitUntil("the gap came", async () => (await store.output!.gap(of)) !== null);
    const before = await size();
    await waitUntil("more came behind it", async () => (await size()) > before);
    await using sql = new Bun.SQL(url);
    const [{ bytes }] = await sql`select sum(length(bytes))::integer as bytes from queuectl.output`;
    expect(bytes).toBeLessThan(4 * 1024 ** 2);
    expect(await worker.exited).toBe(0);
    const [run] = (await far.json("show", "job")).attempts_history;
    expect(run).toMatchObject({ log_bytes: 1024 ** 2, log_truncated: true });
    const { stdout } = await far("logs", "job");
    expect(stdout.length).toBe(1024 ** 2);
    const numbers = stdout
      .slice(1024 ** 2 / 2)
      .split("\n")
      .slice(1, -1)
      .map(Number);
    expect(numbers.every((number, n) => n === 0 || number === numbers[n - 1]! + 1)).toBe(true);
    expect(await size()).toBe(run.log_bytes + run.log_left_out);
  });

  test("outlives the machine that the job ran on", async () => {
    await using machines = await twoMachines();
    const { near, far } = machines;
    await far.ok("enqueue", "echo kept", "--id", "job");
    await near.ok("worker", "--until-empty");
    rmSync(near.home, { recursive: true });
    expect(await far.ok("logs", "job")).toBe("kept");
  });

  /** A job that prints the first half of a hundred thousand numbers, waits at the gate, and prints the others. */
  async function halfPrinted(machines: Machines): Promise<{ gate: Gate; all: string }> {
    const gate = makeGate(machines.near);
    await machines.far.ok(
      "enqueue",
      `seq 50000; ${gate.command}; seq 50001 100000`,
      "--id",
      "job",
      "--max-retries",
      "0",
    );
    const all = `${Array.from({ length: 100_000 }, (_, n) => n + 1).join("\n")}\n`;
    return { gate, all };
  }

  test("of a worker that was killed goes on where it stopped when another takes its jobs over", async () => {
    await using machines = await twoMachines();
    const { near, far } = machines;
    const { gate, all } = await halfPrinted(machines);
    const first = near.start("worker");
    await gate.reached();
    await shown(machines, "job", "40000\n");
    first.kill("SIGKILL");
    await first.exited;
    gate.open();
    await near.ok("worker", "--until-empty");
    expect((await bytesOf(machines, "job")).toString()).toBe(all);
    expect((await far.json("show", "job")).attempts_history).toMatchObject([
      { exit_code: 0, log_bytes: all.length },
    ]);
    expect(spooled(machines)).toEqual([]);
  });

  test("waits in a file while the database is away, and is there once it is back", async () => {
    await using machines = await twoMachines({ proxied: true });
    const { near, far, proxy } = machines;
    const { gate, all } = await halfPrinted(machines);
    const worker = near.start("worker");
    await gate.reached();
    await shown(machines, "job", "40000\n");
    await proxy!.refuse();
    gate.open();
    await worker.says("cannot be reached");
    expect((await far.json("show", "job")).state).toBe("processing");
    await proxy!.pass();
    expect((await far("wait", "job")).status).toBe(0);
    expect((await bytesOf(machines, "job")).toString()).toBe(all);
    await waitUntil("the file is gone", () => spooled(machines).length === 0);
  });

  test("of a job that is deleted goes with it, and that of a SQLite queue in the same home stays", async () => {
    await using machines = await twoMachines();
    const { near, url } = machines;
    const own = (...words: string[]) => near.with({ env: { QUEUECTL_DATABASE_URL: "" } }, ...words);
    expect((await own("run", "echo of SQLite", "--id", "job")).status).toBe(0);
    await near.ok("enqueue", "echo of PostgreSQL", "--id", "job");
    await near.ok("worker", "--until-empty");
    expect([(await own("logs", "job")).stdout, await near.ok("logs", "job")]).toEqual([
      "of SQLite\n",
      "of PostgreSQL",
    ]);
    await using store = await openStore({ home: near.home, database: url });
    expect(await store.output!.size({ job_seq: 1, attempt: 1, stream: "stdout" })).toBeGreaterThan(0);
    await near.ok("delete", "job");
    expect(await store.output!.size({ job_seq: 1, attempt: 1, stream: "stdout" })).toBe(0);
    expect(readFileSync(jobLogPath(near.home, 1, 1), "utf8")).toBe("of SQLite\n");
  });

  test("is no more in files once its attempt ended elsewhere, and stays there while it runs", async () => {
    await using temp = await tempStore(postgres);
    using home = tempFolder();
    const { store } = temp;
    const running = await runningJob(store);
    const over = await jobIn(store, "completed");
    const paths = [running.job.seq, over.seq, 4711].map((seq) =>
      spoolPath(home.path, store.output!.queue, seq, 1),
    );
    for (const path of paths) {
      ensureFolderOf(path);
      writeFileSync(path, "words");
    }
    await pruneSpool(store, home.path);
    expect(paths.map((path) => existsSync(path))).toEqual([true, false, false]);
  });

  test("is shown by run as it comes", async () => {
    await using machines = await twoMachines();
    const { near } = machines;
    const gate = makeGate(near);
    const run = near.start("run", `echo first; ${gate.command}; echo second; exit 3`, "--max-retries", "0");
    await waitUntil("the first line is shown", () => run.stdout() === "first\n");
    gate.open();
    expect(await run.exited).toBe(3);
    await waitUntil("the second line is shown", () => run.stdout() === "first\nsecond\n");
  });
});
