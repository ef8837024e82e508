// What store.ts promises, as one suite for every kind of store.

import { describe, setDefaultTimeout } from "bun:test";
import { type StoreKind, tempStore } from "../support/temp-store.ts";
import { alertsContract } from "./contract/alerts.ts";
import { changeContract } from "./contract/changes.ts";
import { claimContract } from "./contract/claims.ts";
import { damageContract } from "./contract/damage.ts";
import { dependencyContract } from "./contract/dependencies.ts";
import { enqueueContract } from "./contract/enqueue.ts";
import { historyContract } from "./contract/history.ts";
import { holdingContract } from "./contract/holding.ts";
import { keysContract } from "./contract/keys.ts";
import { lookupContract } from "./contract/lookup.ts";
import { matchingContract } from "./contract/matching.ts";
import { modelContract } from "./contract/model.ts";
import { outputContract } from "./contract/output.ts";
import { queuesContract } from "./contract/queues.ts";
import { raceContract } from "./contract/races.ts";
import { schedulesContract } from "./contract/schedules.ts";
import { settingsContract } from "./contract/settings.ts";
import { settlementContract } from "./contract/settlements.ts";
import { snoozeContract } from "./contract/snooze.ts";
import { statsContract } from "./contract/stats.ts";
import { takeOverContract } from "./contract/take-over.ts";
import { uniqueContract } from "./contract/unique.ts";
import { watchContract } from "./contract/watch.ts";
import { workersContract } from "./contract/workers.ts";

export function storeContract(kind: StoreKind): void {
  // Real databases on a shared machine: what never comes fails late rather than what comes slowly fails early.
  setDefaultTimeout(180_000);
  const makeStore = () => tempStore(kind);
  describe.skipIf(kind.missing !== undefined)(kind.name, () => {
    enqueueContract(makeStore);
    lookupContract(makeStore);
    changeContract(makeStore);
    holdingContract(makeStore);
    uniqueContract(makeStore);
    dependencyContract(makeStore);
    claimContract(makeStore);
    settlementContract(makeStore);
    damageContract(makeStore);
    snoozeContract(makeStore);
    takeOverContract(makeStore);
    outputContract(makeStore, kind.keepsOutput);
    workersContract(makeStore);
    settingsContract(makeStore);
    statsContract(makeStore);
    historyContract(makeStore);
    matchingContract(makeStore);
    queuesContract(makeStore);
    keysContract(makeStore);
    schedulesContract(makeStore);
    alertsContract(makeStore);
    watchContract(makeStore);
    raceContract(kind);
    modelContract(makeStore, kind.lives);
  });
}
