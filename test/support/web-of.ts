// What the dashboard's routes are given, without a network: a caller who may do all, and settings that nobody set.

import { scopes } from "../../src/domain/scope.ts";
import { effectiveSettings } from "../../src/domain/settings.ts";
import type { Store } from "../../src/store/store.ts";
import { makeBulkRuns } from "../../src/web/bulk-runs.ts";
import { makeNotices } from "../../src/web/notices.ts";
import { makeSessions } from "../../src/web/sessions.ts";
import { makeShared } from "../../src/web/shared.ts";
import type { Web } from "../../src/web/web.ts";

export function webOf(store: Store, home: string): Web {
  return {
    store,
    home,
    cwd: "/",
    environment: {},
    processes: {
      workers: () => store.workers.list(),
      start: async () => [],
      endCancelled: async () => {},
      removeLogs: () => {},
    },
    settings: async () => effectiveSettings({}, {}),
    access: {
      check: () => {},
      identify: async () => ({ name: "test", scopes: new Set(scopes) }),
      cookieName: "c",
    },
    sessions: makeSessions(),
    tokens: () => [],
    notices: makeNotices(),
    shared: makeShared(),
    audit: { write: () => {}, enqueuedBy: () => undefined },
    bulkRuns: makeBulkRuns(),
    base: "",
    label: undefined,
    tls: false,
    version: "1",
    addressOf: () => "127.0.0.1",
    hold: () => {},
    ready: async () => {},
    bug: () => {},
    stopping: new AbortController().signal,
  };
}
