// plainjob's part of cycle: its worker with a job that does nothing; `full` as the last word makes it as durable as queuectl.

import { Database } from "bun:sqlite";
import { join } from "node:path";

const [folder, count, library, sync] = process.argv.slice(2) as [string, string, string, string];
const { bun, defineQueue, defineWorker } = await import(library);
const jobs = Number(count);
const quiet = { error() {}, warn() {}, info() {}, debug() {} };
const db = new Database(join(folder, "plainjob.db"), { strict: true });
const queue = defineQueue({ connection: bun(db), logger: quiet });
if (sync === "full") db.run("pragma synchronous = full");
for (let job = 0; job < jobs; job++) queue.add("noop", {});

const begun = performance.now();
let left = jobs;
await new Promise<void>((resolve) => {
  const onCompleted = () => --left === 0 && resolve();
  void defineWorker("noop", async () => {}, { queue, logger: quiet, onCompleted }).start();
});
const ms = performance.now() - begun;
// Another 2 is "done".
const done = db.query<{ n: number }, []>("select count(*) as n from plainjob_jobs where status = 2").get()!.n;
console.log(JSON.stringify({ done, ms }));
process.exit(0);
