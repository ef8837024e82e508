// What nobody needs any more is removed, and nothing else.

import { expect, test } from "bun:test";
import { existsSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { journalPath, runFolder } from "../../src/home.ts";
import { ownIdentity } from "../../src/runner/process-identity.ts";
import { openStore } from "../../src/store/open.ts";
import { pruneJournals } from "../../src/worker/pruner.ts";
import { tempFolder } from "../support/temp-home.ts";

test("the journal of a worker stays, by whichever way it came to the home", async () => {
  using folder = tempFolder();
  const home = join(folder.path, "home");
  const link = join(folder.path, "link");
  mkdirSync(runFolder(home), { recursive: true });
  symlinkSync(home, link);
  const [own, stray] = ["worker-a", "worker-b"].map((id) => journalPath(home, undefined, id));
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
  expect([own!, stray!].map((path) => existsSync(path))).toEqual([true, false]);
});
