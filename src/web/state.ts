// What a dashboard keeps in mind while it runs.

import { openAudit } from "./audit.ts";
import { makeBulkRuns } from "./bulk-runs.ts";
import { makeNotices } from "./notices.ts";
import { makeSessions } from "./sessions.ts";
import { makeShared } from "./shared.ts";
import type { Web } from "./web.ts";

export type WebState = Pick<Web, "sessions" | "notices" | "shared" | "audit" | "bulkRuns">;

export const webState = (home: string): WebState => ({
  sessions: makeSessions(),
  notices: makeNotices(),
  shared: makeShared(),
  audit: openAudit(home),
  bulkRuns: makeBulkRuns(),
});
