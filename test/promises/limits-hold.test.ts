// Limits hold: never two jobs of one key at once, and never more of a queue than may, with several worker processes of which one is
// killed in the middle. Seen by the commands themselves, which count their like.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { noPostgres, postgresServer } from "../support/postgres-server.ts";
import { type Queuectl, queuectl } from "../support/queuectl.ts";
import { waitUntil } from "../support/wait-until.ts";

// Real processes on a shared machine: what never comes fails late rather than what comes slowly fails early.
setDefaultTimeout(120_000);

const alone = resolve(import.meta.dir, "../programs/alone.sh");
const each = 10;

const kinds: Readonly<Record<string, () => Promise<Queuectl>>> = {
  SQLite: async () => queuectl(),
  PostgreSQL: async () => {
    const database = await (await postgresServer()).newDatabase();
    const q = queuectl({ QUEUECTL_DATABASE_URL: database.url, QUEUECTL_LEASE: "6s" });
    const end = q[Symbol.asyncDispose].bind(q);
    return Object.assign(q, {
      async [Symbol.asyncDispose]() {
        await end();
        await database[Symbol.asyncDispose]();
      },
    });
  },
};

for (const [kind, make] of Object.entries(kinds)) {
  describe.skipIf(kind === "PostgreSQL" && noPostgres !== undefined)(`on ${kind}`, () => {
    test("a limit of jobs at once and a key hold with three worker processes, one of them killed", async () => {
      await using q = await make();
      await q.ok("queue", "set", "narrow", "--concurrency", "2");
      const jobs = Array.from({ length: each }, (_, n) => [
        { command: `'${alone}' narrow 2`, queue: "narrow" },
        { command: `'${alone}' k 1`, key: "k", queue: n % 2 ? "a" : "b" },
      ]).flat();
      const lines = jobs.map((job) => JSON.stringify(job)).join("\n");
      expect((await q.with({ stdin: lines }, "enqueue", "--file", "-")).status).toBe(0);
      const [doomed, ...others] = [1, 2, 3].map(() => q.start("worker", "--count", "3", "--until-empty"));
      await waitUntil("some have run", async () => (await q.json("status")).completed >= 4);
      doomed!.kill("SIGKILL");
      expect(await Promise.all(others.map(({ exited }) => exited))).toEqual([0, 0]);
      expect(await q.json("status")).toMatchObject({ completed: jobs.length, total: jobs.length });
      for (const name of ["narrow", "k"]) {
        expect(existsSync(join(q.folder, name))).toBe(true);
        expect(existsSync(join(q.folder, `${name}.crowded`))).toBe(false);
      }
    });
  });
}
