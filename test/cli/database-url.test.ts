// Where the queue lies goes on to whatever is started on its account, and its password to nobody who only looks.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { noPostgres, postgresServer } from "../support/postgres-server.ts";
import { queuectl } from "../support/queuectl.ts";
import { plainEnvironment } from "../support/shell.ts";
import { waitUntil } from "../support/wait-until.ts";
import { webServer } from "../support/web-server.ts";

setDefaultTimeout(180_000);

/** The server of the tests asks nobody for it. */
async function databaseWithPassword() {
  const database = await (await postgresServer()).newDatabase();
  const password = `secret-of-${database.name}`;
  return Object.assign(database, {
    password,
    url: Object.assign(new URL(database.url), { password }).href,
  });
}

/** The words and the title of every process, as ps(1) shows them to all users. */
const wordsOfProcesses = () =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return ["cmdline", "comm"].map((file) => readFileSync(`/proc/${pid}/${file}`, "utf8"));
      } catch {
        return [];
      }
    });

const filesBelow = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));

describe.skipIf(noPostgres !== undefined).concurrent("the database that --database names", () => {
  test("is that of a background worker, of its jobs, and of what these enqueue", async () => {
    await using database = await databaseWithPassword();
    await using q = queuectl();
    const there = ["--database", database.url];
    await q.ok("worker", "--detach", ...there);
    const path = plainEnvironment(q).PATH!;
    await q.ok(
      "enqueue",
      "queuectl enqueue --id inner 'echo inner'",
      "--id",
      "outer",
      "--env",
      `PATH=${path}`,
      ...there,
    );
    expect((await q("wait", "outer", ...there)).status).toBe(0);
    expect((await q("wait", "inner", ...there)).status).toBe(0);
    expect(await q.json("status", ...there)).toMatchObject({ completed: 2, total: 2 });
    expect(readdirSync(q.home)).not.toContain("queue.db");
    await q.ok("worker", "stop", "--wait", ...there);
  });

  test.each([
    ["there is not", "?schema=public", 'unrecognized configuration parameter "schema"'],
    ["cannot have that value", "?work_mem=much", 'invalid value for parameter "work_mem": "much"'],
    ["no session may change", "?max_connections=5", 'parameter "max_connections" cannot be changed'],
  ])("with a setting that %s is wrong use, and the setting is named", async (_, parameters, says) => {
    await using database = await databaseWithPassword();
    await using q = queuectl();
    for (const words of [["list"], ["enqueue", "true"], ["worker", "--until-empty"]]) {
      const result = await q(...words, "--database", database.url + parameters);
      expect(result).toMatchObject({ status: 2, stdout: "" });
      expect(result.stderr).toMatch(/^queuectl: PostgreSQL [^\n]+ \([^\n]+ behind the \?[^\n]+\)\n$/);
      expect(result.stderr).toContain(says);
    }
  });

  test("with a port or a time that is none is wrong use", async () => {
    await using q = queuectl();
    for (const parameters of ["?port=abc", "?port=99999", "?idle_timeout=soon"]) {
      const result = await q("list", "--database", `postgres://alice:secret@127.0.0.1/jobs${parameters}`);
      expect(result).toMatchObject({ status: 2, stdout: "" });
      expect(result.stderr).toMatch(
        /^queuectl: the database's URL cannot be used: [^\n]+(port|idle_timeout)[^\n]+ \([^\n]+ behind the \?[^\n]+\)\n$/,
      );
    }
  });

  test("is called by where it is when the words behind the ? say so", async () => {
    await using q = queuectl();
    const called = async (url: string, env: Record<string, string> = {}) =>
      /PostgreSQL \S+/.exec((await q.with({ env }, "list", "--database", url)).stderr)?.[0];
    expect(await called("postgres://alice@localhost:2/jobs?host=127.0.0.1&port=1&dbname=other")).toBe(
      "PostgreSQL 127.0.0.1:1/other",
    );
    expect(await called("postgres:///jobs", { PGHOST: "127.0.0.1", PGPORT: "1" })).toBe(
      "PostgreSQL 127.0.0.1:1/jobs",
    );
    expect(await called("postgres://alice@localhost:2/jobs?host=/nowhere&port=1")).toBe(
      "PostgreSQL /nowhere:1/jobs",
    );
  });

  test("keeps texts as they are, whatever encoding its URL names", async () => {
    await using database = await databaseWithPassword();
    await using q = queuectl({ QUEUECTL_DATABASE_URL: database.url });
    const inLatin = ["--database", `${database.url}?client_encoding=LATIN1`];
    await q.ok("enqueue", "echo 'für 5 €'", "--id", "a", ...inLatin);
    expect((await q.json("show", "a")).command).toBe("echo 'für 5 €'");
    expect((await q.json("show", "a", ...inLatin)).command).toBe("echo 'für 5 €'");
  });

  test("is not what a wrong QUEUECTL_LISTEN_URL is called", async () => {
    await using database = await databaseWithPassword();
    await using q = queuectl({ QUEUECTL_DATABASE_URL: database.url, QUEUECTL_LISTEN_URL: "of" });
    expect(await q("list")).toEqual({
      status: 2,
      stdout: "",
      stderr: expect.stringMatching(/^queuectl: QUEUECTL_LISTEN_URL cannot be read \([^\n]+\)\n$/),
    });
  });

  test("is that of workers that its dashboard starts", async () => {
    await using database = await databaseWithPassword();
    await using q = queuectl();
    const there = ["--database", database.url];
    await using web = await webServer({ q, words: there });
    expect((await web.api("POST", "/workers", { count: 2 })).status).toBe(201);
    expect(await q.json("worker", "list", ...there)).toHaveLength(2);
    await q.ok("worker", "stop", "--wait", ...there);
  });

  test("stands with its password neither in the words of a process of ours nor in a file of the home folder", async () => {
    await using database = await databaseWithPassword();
    await using q = queuectl({ QUEUECTL_DATABASE_URL: database.url });
    const go = join(q.folder, "go");
    await q.ok("worker", "--detach");
    await q.ok("enqueue", `until [ -e '${go}' ]; do sleep 0.05; done`, "--id", "job");
    await waitUntil("it runs", async () => (await q.json("show", "job")).state === "processing");
    expect(wordsOfProcesses().filter((words) => words.includes(database.password))).toEqual([]);
    await Bun.write(go, "");
    await q.ok("wait", "job");
    await q.ok("worker", "stop", "--wait");
    expect(filesBelow(q.home).filter((text) => text.includes(database.password))).toEqual([]);
  });
});
