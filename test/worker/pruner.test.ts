// What nobody needs any more is removed, and nothing else.

import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { effectiveSettings } from "../../src/domain/settings.ts";
import { databasePath, journalPath, runFolder, workerLogsFolder } from "../../src/home.ts";
import { ownIdentity } from "../../src/runner/process-identity.ts";
import { openStore } from "../../src/store/open.ts";
import { openSqlite } from "../../src/store/sqlite/open.ts";
import { pruneJournals, pruneOnce } from "../../src/worker/pruner.ts";
import { jobIn, register } from "../support/sample-jobs.ts";
import { tempFolder } from "../support/temp-home.ts";

const day = 86_400;
const defaults = effectiveSettings({}, {});

/** A home where nobody has worked yet. */
function emptyHome() {
  const folder = tempFolder();
  for (const made of [runFolder(folder.path), workerLogsFolder(folder.path)])
    mkdirSync(made, { recursive: true });
  return folder;
}

test("jobs go that are older than the retention, dead ones by their own, and with 0 all of them stay", async () => {
  using folder = emptyHome();
  const clock = { now: Date.UTC(2026, 0, 1) };
  await using store = await openSqlite({ path: databasePath(folder.path), clock: () => clock.now });
  for (const state of ["completed", "cancelled", "dead", "failed"] as const)
    await jobIn(store, state, { id: state });
  clock.now += 10 * day * 1000;
  const left = async (retention: number, retention_dead: number) => {
    await pruneOnce(store, folder.path, { ...defaults, retention, retention_dead });
    return (await store.jobs.list({}, { limit: 0 })).jobs.map(({ id }) => id).toSorted();
  };
  const all = ["cancelled", "completed", "dead", "failed"];
  expect(await left(0, 0)).toEqual(all);
  expect(await left(20 * day, 20 * day)).toEqual(all);
  expect(await left(5 * day, 0)).toEqual(["dead", "failed"]);
  expect(await left(0, 5 * day)).toEqual(["failed"]);
});

test("what a worker said goes when it is gone and its last word is older than the retention", async () => {
  using folder = emptyHome();
  await using store = await openSqlite({ path: databasePath(folder.path) });
  await register(store, "worker-there");
  const names = ["note.txt", "worker-gone.log", "worker-gone.log.1", "worker-there.log", "worker-young.log"];
  for (const name of names) {
    const path = join(workerLogsFolder(folder.path), name);
    writeFileSync(path, "");
    if (name !== "worker-young.log") utimesSync(path, 0, 0);
  }
  const left = async (retention: number) => {
    await pruneOnce(store, folder.path, { ...defaults, retention });
    return readdirSync(workerLogsFolder(folder.path)).toSorted();
  };
  expect(await left(0)).toEqual(names);
  expect(await left(5 * day)).toEqual(["note.txt", "worker-there.log", "worker-young.log"]);
});

test("the journal of a worker stays, by whichever way it came to the home, and one that was just made", async () => {
  using folder = tempFolder();
  const home = join(folder.path, "home");
  const link = join(folder.path, "link");
  mkdirSync(runFolder(home), { recursive: true });
  symlinkSync(home, link);
  const [own, stray, young] = ["worker-a", "worker-b", "worker-c"].map((id) =>
    journalPath(home, undefined, id),
  );
  writeFileSync(young!, "");
  for (const path of [own!, stray!]) {
    writeFileSync(path, "");
    utimesSync(path, 0, 0);
  }
  await using store = await openStore({ home });
  await store.workers.register({
    identity: ownIdentity(),
    home,
    version: "0",
    queues: null,
    worker_ids: ["worker-a"],
    journal: own!,
  });
  await pruneJournals(store, link);
  expect([own!, stray!, young!].map((path) => existsSync(path))).toEqual([true, false, true]);
});
