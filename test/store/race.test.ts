import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { openStore } from "../../src/store/open.ts";
import { runTogether } from "../support/start-together.ts";
import { tempFolder } from "../support/temp-home.ts";
import { tempSqlite } from "../support/temp-store.ts";
import { raceContract } from "./contract/races.ts";

// Real processes on a shared machine: what never comes fails late rather than what comes slowly fails early.
setDefaultTimeout(60_000);

describe("the SQLite store", () => {
  raceContract(tempSqlite);

  test("several processes may make a new database at once, and nothing is lost", async () => {
    using folder = tempFolder();
    const environment = { QUEUECTL_HOME: folder.path };
    const printed = await runTogether(6, ["enqueue-many.ts", "3"], environment);
    await using store = await openStore(folder.path);
    expect((await store.stats.read()).total).toBe(36);
    for (const id of printed.flat()) expect((await store.jobs.find(id)).id).toBe(id);
  }, 60_000);
});
