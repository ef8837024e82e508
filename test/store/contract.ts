// What store.ts promises, as one suite for every store: plug in a way to make a new, empty one.

import { describe } from "bun:test";
import type { MakeStore } from "../support/temp-store.ts";
import { changeContract } from "./contract/changes.ts";
import { claimContract } from "./contract/claims.ts";
import { enqueueContract } from "./contract/enqueue.ts";
import { historyContract } from "./contract/history.ts";
import { lookupContract } from "./contract/lookup.ts";
import { matchingContract } from "./contract/matching.ts";
import { settingsContract } from "./contract/settings.ts";
import { settlementContract } from "./contract/settlements.ts";
import { statsContract } from "./contract/stats.ts";
import { takeOverContract } from "./contract/take-over.ts";
import { watchContract } from "./contract/watch.ts";
import { workersContract } from "./contract/workers.ts";

export function storeContract(description: string, makeStore: MakeStore): void {
  describe(description, () => {
    enqueueContract(makeStore);
    lookupContract(makeStore);
    changeContract(makeStore);
    claimContract(makeStore);
    settlementContract(makeStore);
    takeOverContract(makeStore);
    workersContract(makeStore);
    settingsContract(makeStore);
    statsContract(makeStore);
    historyContract(makeStore);
    matchingContract(makeStore);
    watchContract(makeStore);
  });
}
