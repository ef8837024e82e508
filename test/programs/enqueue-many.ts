// Enqueues jobs one by one and as many at once, and prints the ids it was given: enqueue-many.ts <count>

import { openStore, placeOf } from "../../src/store/open.ts";
import { asyncly, newJob } from "../support/sample-jobs.ts";
import { startSignal } from "../support/start-together.ts";

const count = Number(process.argv[2]);
await startSignal();
await using store = await openStore(placeOf(process.env));
const ids: string[] = [];
for (let n = 0; n < count; n++) ids.push((await store.jobs.enqueue(newJob())).id);
const many = Array.from({ length: count }, () => newJob({ tags: ["many"] }));
const enqueued = await store.jobs.enqueueAll(asyncly(many));
for await (const id of enqueued.ids()) ids.push(id);
process.stdout.write(`${ids.join("\n")}\n`);
