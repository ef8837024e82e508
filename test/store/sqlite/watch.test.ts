// What an idle worker's own looks cost in SQLite: one small question, as long as nothing changed.

import { expect, test } from "bun:test";
import { newJob } from "../../support/sample-jobs.ts";
import { sqlite } from "../../support/temp-sqlite.ts";
import { tempStore } from "../../support/temp-store.ts";

test("there is no news as long as nothing is written, however much is read", async () => {
  await using temp = await tempStore(sqlite);
  using watch = temp.store.watch(() => {});
  await temp.store.jobs.enqueue(newJob());
  expect(await watch.hasNews()).toBe(true);
  await temp.store.stats.read();
  await (await temp.another()).jobs.find("1").catch(() => {});
  expect(await watch.hasNews()).toBe(false);
});
