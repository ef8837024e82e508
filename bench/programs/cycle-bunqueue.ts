// bunqueue's part of cycle: its embedded worker, 32 at a time, with a job that does nothing.

import { join } from "node:path";

const [folder, count, library] = process.argv.slice(2) as [string, string, string];
const { Queue, Worker } = await import(library);
const jobs = Number(count);
const embedded = { embedded: true, dataPath: join(folder, "bunqueue.db") };
const queue = new Queue("noop", embedded);
await queue.addBulk(
  Array.from({ length: jobs }, () => ({ name: "noop", data: {}, opts: { durable: true } })),
);

const begun = performance.now();
let left = jobs;
await new Promise<void>((resolve) => {
  const noop = async () => {
    if (--left === 0) resolve();
  };
  new Worker("noop", noop, { ...embedded, concurrency: 32 });
});
let done = 0;
while (done < jobs) {
  done = (await queue.getJobCounts()).completed;
  await Bun.sleep(0);
}
console.log(JSON.stringify({ done, ms: performance.now() - begun }));
process.exit(0);
