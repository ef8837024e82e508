// What the tests for PostgreSQL stand on: a server that can be harmed, and that never outlives them.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { SQL } from "bun";
import { isRunning } from "./is-running.ts";
import { startPostgres } from "./own-postgres.ts";
import { noPostgres, postgresServer } from "./postgres-server.ts";
import { waitUntil } from "./wait-until.ts";

setDefaultTimeout(180_000);

const settled = (query: PromiseLike<unknown>) =>
  query.then(
    () => "done",
    (error) => error.errno as string,
  );

async function pidOfServer(url: string): Promise<number> {
  await using sql = new SQL(url, { max: 1 });
  return Number.parseInt((await sql`select pg_read_file('postmaster.pid') as lock`)[0].lock, 10);
}

describe.skipIf(noPostgres !== undefined)("a PostgreSQL server for tests", () => {
  test("is at the same place with all that was committed, however it was stopped", async () => {
    await using server = await startPostgres("max_connections = 17");
    await using sql = new SQL(server.url, { max: 1 });
    await sql`create table kept (how text)`;
    for (const how of ["fast", "immediate", "kill"] as const) {
      await sql`insert into kept values (${how})`;
      await server.restart(how);
      await waitUntil("it answers again", async () => (await settled(sql`select 1`)) === "done");
    }
    expect((await sql`select how from kept`).length).toBe(3);
    expect((await sql`show max_connections`)[0].max_connections).toBe("17");
    expect(server.log()).toContain("recover");
  });

  for (const [what, harm] of [
    ["killed with -9", (pid: number) => process.kill(pid, "SIGKILL")],
    ["ended by Ctrl-C", (pid: number) => process.kill(-pid, "SIGINT")],
  ] as const) {
    test(`is gone once the process that started it was ${what}`, async () => {
      const program = join(import.meta.dir, "../programs/hold-postgres.ts");
      const child = Bun.spawn([process.execPath, program], { stdout: "pipe", detached: true });
      const { value } = await child.stdout.pipeThrough(new TextDecoderStream()).getReader().read();
      const pid = await pidOfServer(value!.trim());
      expect(isRunning(pid)).toBeTrue();
      harm(child.pid);
      await waitUntil("the server is gone", () => !isRunning(pid));
    });
  }

  test("gives each test a database of its own, which it can cut off and make read-only", async () => {
    const server = await postgresServer();
    await using database = await server.newDatabase();
    await using other = await server.newDatabase();
    await using sql = new SQL(database.url, { max: 2 });
    await using elsewhere = new SQL(other.url, { max: 1 });
    await elsewhere`create table t (n int)`;
    const sleeping = settled(sql`select pg_sleep(60)`);
    await waitUntil("it sleeps", async () => {
      const [row] =
        await elsewhere`select from pg_stat_activity where query like '%pg_sleep(60)%' and datname = ${database.name}`;
      return row !== undefined;
    });
    expect(await database.terminateBackends()).toBeGreaterThan(0);
    expect(await sleeping).toBe("57P01");

    await database.setReadOnly(true);
    const create = () => settled(sql`create table t (n int)`);
    await waitUntil("it may not write", async () => (await create()) === "25006");
    await database.setReadOnly(false);
    await waitUntil("it may write again", async () => (await create()) === "done");
    expect(await settled(elsewhere`insert into t values (1)`)).toBe("done");
  });
});
