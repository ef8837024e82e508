// The HTTP API's removal of what finished long ago.

import { Elysia } from "elysia";
import { agesOf } from "../../domain/retention.ts";
import * as shapes from "../../input/api.ts";
import { finishedLongAgo, removeFinished } from "../../store/finished.ts";
import { audited } from "../forms.ts";
import { optionalJson } from "../json-body.ts";
import { jsonReply } from "../reply.ts";
import { needs, type Web } from "../web.ts";

export const apiPruneRoutes = (web: Web) =>
  new Elysia({ prefix: "/api/v1" }).post(
    "/prune",
    ({ request }) => prune(web, request),
    needs("operate", {
      summary:
        "Remove jobs that finished longer ago than so many seconds, or than the settings keep each state; answers with how many went",
      body: shapes.pruneBody,
      answers: { 200: shapes.pruned },
    }),
  );

async function prune(web: Web, request: Request): Promise<Response> {
  const {
    older_than,
    states,
    dry_run = false,
  } = shapes.readBody(shapes.pruneBody, await optionalJson(request));
  web.hold(request);
  const found = await finishedLongAgo(web.store, agesOf(await web.settings(), states, older_than));
  if (dry_run) return jsonReply(Object.fromEntries(found.map(({ state, jobs }) => [state, jobs])));
  const removed: Record<string, number> = {};
  try {
    for (const { state, before } of found) {
      removed[state] = 0;
      await removeFinished(web.store, {
        before,
        states: [state],
        removeLogs: web.processes.removeLogs,
        onStep: (jobs) => {
          removed[state] = jobs;
        },
      });
    }
  } finally {
    const total = Object.values(removed).reduce((sum, jobs) => sum + jobs, 0);
    audited(web, request, "prune", [], total);
  }
  return jsonReply(removed);
}
