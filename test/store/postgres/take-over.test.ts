// Jobs that change hands while the last turn of the process that had them is still under way on the server.

import { expect, setDefaultTimeout, test } from "bun:test";
import { SQL } from "bun";
import { openPostgres } from "../../../src/store/postgres/open.ts";
import { noPostgres, postgresServer } from "../../support/postgres-server.ts";
import { claim, exitWith, newJob, register, settle } from "../../support/sample-jobs.ts";
import { waitUntil } from "../../support/wait-until.ts";

setDefaultTimeout(120_000);

test.skipIf(noPostgres !== undefined)("a job that is settled meanwhile is not taken over", async () => {
  await using database = await (await postgresServer()).newDatabase();
  await using dead = await openPostgres({ url: database.url });
  await using other = await openPostgres({ url: database.url });
  await using sql = new SQL(database.url, { max: 2 });
  const from = await register(dead, "worker-dead");
  const to = await register(other, "worker-new");
  await dead.jobs.enqueue(newJob());
  const [running] = await claim(dead, { worker_ids: ["worker-dead"] });
  const waiting = (many: number) =>
    waitUntil(`${many} wait for the job's row`, async () => {
      const [{ count }] = await sql`
        select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
      `;
      return Number(count) === many;
    });
  const taking = await sql.begin(async (tx) => {
    await tx`select from queuectl.jobs for update`;
    const settling = settle(dead, running!.lease, exitWith(0));
    await waiting(1);
    const taken = other.leases.takeOver(from, to);
    await waiting(2);
    return { settling, taken };
  });
  expect((await taking.settling).settled).toMatchObject([{ state: "completed" }]);
  expect(await taking.taken).toEqual([]);
});
