// graphile-worker's part of postgres: one process with as many jobs at once as it is told, fetched and completed in batches.

import { SQL } from "bun";

const [database, batch, , library] = process.argv.slice(2) as [string, string, string, string];
const { run, Logger } = await import(library);
const size = Number(batch);
const sql = new SQL(database, { max: 1 });
console.log("ready");
await Bun.stdin.text();

let done = 0;
const runner = await run({
  connectionString: database,
  concurrency: size,
  maxPoolSize: size + 2,
  noHandleSignals: true,
  logger: new Logger(() => () => {}),
  taskList: {
    noop: async () => {
      done++;
    },
  },
  preset: { worker: { localQueue: { size }, completeJobBatchDelay: 0 } },
});
const isDone = async () => {
  const [{ left }] =
    await sql`select count(*)::integer as left from (select from graphile_worker.jobs limit 1) as rest`;
  return left === 0;
};
while (!(await isDone())) await Bun.sleep(20);
console.log(JSON.stringify({ done }));
await runner.stop();
process.exit(0);
