// Dead letters in the HTTP API.

import { Elysia } from "elysia";
import { shownJobJson } from "../../domain/json.ts";
import * as shapes from "../../input/api.ts";
import { jobEditBody, readJobEditValue } from "../../input/job-edit.ts";
import { editFor } from "../edit.ts";
import { meantFilterOf } from "../filters.ts";
import { audited } from "../forms.ts";
import { optionalJson, pointing } from "../json-body.ts";
import { jsonReply } from "../reply.ts";
import { checkScope, needs, type Web } from "../web.ts";
import { allQuery, change, changeMatching } from "./api-jobs.ts";

export const apiDeadLetterRoutes = (web: Web) =>
  new Elysia({ prefix: "/api/v1" })
    .post(
      "/dlq/:id/retry",
      ({ request, params }) => retryDead(web, request, params.id),
      needs("operate", {
        summary: "Retry a dead letter, with other values for the keys that the body has",
        body: jobEditBody,
        answers: { 200: shapes.job },
      }),
    )
    .delete(
      "/dlq/:id",
      ({ request, params }) => change(web, request, params.id, "delete", "dead"),
      needs("operate", { summary: "Delete a dead letter", answers: { 204: null } }),
    )
    .post(
      "/dlq/retry-all",
      ({ request }) => changeDead(web, request, "retry"),
      needs("operate", {
        summary: "Retry all dead letters, or those that match",
        query: { queue: allQuery.queue, tag: allQuery.tag, q: allQuery.q },
        answers: { 200: shapes.changed },
      }),
    )
    .post(
      "/dlq/purge",
      ({ request }) => changeDead(web, request, "delete"),
      needs("operate", { summary: "Delete all dead letters", answers: { 200: shapes.changed } }),
    );

/** Who may not enqueue may not change what runs either. */
async function retryDead(web: Web, request: Request, id: string): Promise<Response> {
  const body = await optionalJson(request);
  const isEdit = typeof body !== "object" || body === null || Object.keys(body).length > 0;
  if (!isEdit) return change(web, request, id, "retry", "dead");
  checkScope(request, "enqueue");
  const job = await web.store.jobs.find(id);
  const retried = await pointing(() =>
    web.store.jobs.retryEdited(job.seq, (found) => editFor(found, readJobEditValue(body, found))),
  );
  audited(web, request, "retry, edited", [job.id]);
  return jsonReply(shownJobJson(retried));
}

async function changeDead(web: Web, request: Request, what: "retry" | "delete"): Promise<Response> {
  const query = new URL(request.url).searchParams;
  const asked = { change: what, filter: { ...meantFilterOf(query), state: "dead" as const } };
  return changeMatching(web, request, asked, what === "retry" ? "dlq retry-all" : "dlq purge");
}
