// A worker process without commands on a queue with limits: claims and settles until nothing is left, looks in between at what runs,
// and prints each claim as `seq attempt`. Ends with an error when it sees more of the queue `narrow` than 2, or two of one key.

import { openStore, placeOf } from "../../src/store/open.ts";
import { claimingProcess } from "../support/claiming-process.ts";

await using store = await openStore(placeOf(process.env));
const { turn } = await claimingProcess(store);
const claims: string[] = [];
while ((await store.stats.outstanding(null)) > 0) {
  claims.push(...(await turn()));
  const { jobs } = await store.jobs.list({ state: "processing" }, { limit: 0 });
  const narrow = jobs.filter(({ queue }) => queue === "narrow");
  const keys = jobs.flatMap(({ key }) => key ?? []);
  if (narrow.length > 2 || new Set(keys).size < keys.length)
    throw new Error(`too many: ${JSON.stringify(jobs.map(({ id, queue, key }) => [id, queue, key]))}`);
}
process.stdout.write(claims.join(""));
