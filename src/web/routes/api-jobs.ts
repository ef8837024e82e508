// What the HTTP API changes of jobs.

import { Elysia } from "elysia";
import { misuse } from "../../domain/errors.ts";
import { shownJobJson } from "../../domain/json.ts";
import * as shapes from "../../input/api.ts";
import { jobEditBody, readJobEditValue } from "../../input/job-edit.ts";
import type { JobFilter } from "../../store/jobs.ts";
import type { JobChange } from "../../store/matching.ts";
import { type BulkStep, changeAll } from "../bulk.ts";
import { editFor } from "../edit.ts";
import { meantFilterOf } from "../filters.ts";
import { audited } from "../forms.ts";
import { jsonOf, pointing } from "../json-body.ts";
import { jsonReply, shieldHeaders } from "../reply.ts";
import { needs, type Web } from "../web.ts";
import { changeOne } from "./jobs.tsx";
import { raw } from "./logs.tsx";

export const allQuery = {
  state: "Only jobs in this state",
  queue: "Only jobs of this queue",
  tag: "Only jobs with this tag",
  q: "Only jobs with this in id or command",
  all: "Has to be `yes` when nothing else says which jobs are meant",
};

export const apiJobRoutes = (web: Web) =>
  new Elysia({ prefix: "/api/v1" })
    .delete(
      "/jobs/:id",
      ({ request, params }) => change(web, request, params.id, "delete"),
      needs("operate", { summary: "Delete a job with its history and output", answers: { 204: null } }),
    )
    .post(
      "/jobs/:id/retry",
      ({ request, params }) => change(web, request, params.id, "retry"),
      needs("operate", { summary: "Run a job now, or once more", answers: { 200: shapes.job } }),
    )
    .post(
      "/jobs/:id/cancel",
      ({ request, params }) => change(web, request, params.id, "cancel"),
      needs("operate", {
        summary: "Cancel a job; one that runs is being ended then",
        answers: { 200: shapes.job },
      }),
    )
    .post(
      "/jobs/:id/hold",
      ({ request, params }) => change(web, request, params.id, "hold"),
      needs("operate", { summary: "Keep a waiting job from running", answers: { 200: shapes.job } }),
    )
    .post(
      "/jobs/:id/release",
      ({ request, params }) => change(web, request, params.id, "release"),
      needs("operate", { summary: "Let a held job run", answers: { 200: shapes.job } }),
    )
    .patch(
      "/jobs/:id",
      ({ request, params }) => edit(web, request, params.id),
      needs("enqueue", {
        summary: "Change what a waiting job is; keys that are left out stay as they are",
        body: jobEditBody,
        answers: { 200: shapes.job },
      }),
    )
    .post(
      "/jobs/hold",
      ({ request }) => changeMany(web, request, "hold"),
      needs("operate", {
        summary: "Hold all waiting jobs that match",
        query: allQuery,
        answers: { 200: shapes.changed },
      }),
    )
    .post(
      "/jobs/release",
      ({ request }) => changeMany(web, request, "release"),
      needs("operate", {
        summary: "Release all held jobs that match",
        query: allQuery,
        answers: { 200: shapes.changed },
      }),
    )
    .post(
      "/jobs/retry",
      ({ request }) => changeMany(web, request, "retry"),
      needs("operate", {
        summary: "Retry all jobs that match",
        query: allQuery,
        answers: { 200: shapes.changed },
      }),
    )
    .post(
      "/jobs/cancel",
      ({ request }) => changeMany(web, request, "cancel"),
      needs("operate", {
        summary: "Cancel all jobs that match",
        query: allQuery,
        answers: { 200: shapes.changed },
      }),
    )
    .post(
      "/jobs/delete",
      ({ request }) => changeMany(web, request, "delete"),
      needs("operate", {
        summary: "Delete all jobs that match",
        query: allQuery,
        answers: { 200: shapes.changed },
      }),
    )
    .get(
      "/jobs/:id/attempts/:n/log",
      ({ request, params }) => log(web, request, params),
      needs("read", {
        summary: "What an attempt printed, as it is",
        query: { stream: "Of a job that keeps them apart, `stderr`, or `stdout` as by default" },
        answers: { 200: "text/plain" },
      }),
    );

function log(web: Web, request: Request, { id, n }: { id: string; n: string }): Promise<Response> {
  const query = new URL(request.url).searchParams;
  query.set("attempt", n);
  return raw(web, request, id, query);
}

export async function change(
  web: Web,
  request: Request,
  id: string,
  what: JobChange,
  only?: "dead",
): Promise<Response> {
  const job = await web.store.jobs.find(id);
  const changed = await changeOne(web, what, job, only);
  audited(web, request, what, [job.id]);
  return changed
    ? jsonReply(shownJobJson(changed))
    : new Response(null, { status: 204, headers: shieldHeaders() });
}

async function edit(web: Web, request: Request, id: string): Promise<Response> {
  const body = await jsonOf(request, "job");
  const job = await web.store.jobs.find(id);
  const edited = await pointing(() =>
    web.store.jobs.edit(job.seq, (found) => editFor(found, readJobEditValue(body, found))),
  );
  audited(web, request, "edit", [job.id]);
  return jsonReply(shownJobJson(edited));
}

async function changeMany(web: Web, request: Request, what: JobChange): Promise<Response> {
  const query = new URL(request.url).searchParams;
  const filter = meantFilterOf(query);
  const isAll = Object.values(filter).every((value) => value === undefined);
  if (isAll && query.get("all") !== "yes")
    throw misuse("this would concern all jobs", "add ?all=yes to mean it, or say which");
  return changeMatching(web, request, { change: what, filter }, what, `all that match ${query}`);
}

/** What was done stands in the audit, also when it came to an end halfway. */
export async function changeMatching(
  web: Web,
  request: Request,
  asked: { readonly change: JobChange; readonly filter: JobFilter },
  action: string,
  about?: string,
): Promise<Response> {
  web.hold(request);
  const newest = await web.store.matching.newest();
  let changed = 0;
  try {
    const onStep = (step: BulkStep) => {
      changed = step.changed;
    };
    return jsonReply(await changeAll(web, { ...asked, newest }, web.stopping, onStep));
  } finally {
    audited(web, request, action, [], changed, about);
  }
}
