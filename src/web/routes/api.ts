// The HTTP API: what the command line can do, as JSON with the same keys.

import { Elysia } from "elysia";
import { misuse } from "../../domain/errors.ts";
import { attemptJson, originJson, relativesJson, shownJobJson, workerJson } from "../../domain/json.ts";
import { whyText } from "../../domain/why.ts";
import * as shapes from "../../input/api.ts";
import { readJobValue } from "../../input/job.ts";
import type { JobFilter } from "../../store/jobs.ts";
import { whyFacts } from "../../store/why.ts";
import { enqueueOnce } from "../enqueue.ts";
import { Problem } from "../errors.ts";
import { filterOf, numberOf } from "../filters.ts";
import { audited } from "../forms.ts";
import { jsonOf, pointing } from "../json-body.ts";
import { mostRelatives, scan, stats, workers } from "../reads.ts";
import { jsonReply } from "../reply.ts";
import { eventStream, type Send } from "../streams.ts";
import { needs, type Web } from "../web.ts";

const listQuery = {
  state: "Only jobs in this state",
  queue: "Only jobs of this queue",
  tag: "Only jobs with this tag",
  q: "Only jobs with this in id or command",
  limit: "At most so many, 1 to 200; 50 by default",
  before: "Where the page before ended: its `next`",
};

/** Their state is known. */
const { state: _state, ...deadQuery } = listQuery;

const mostListed = 200;

export const apiRoutes = (web: Web) =>
  new Elysia({ prefix: "/api/v1" })
    .get(
      "/jobs",
      ({ request }) => listJobs(web, request),
      needs("read", { summary: "Jobs, the newest first", query: listQuery, answers: { 200: shapes.jobs } }),
    )
    .post(
      "/jobs",
      ({ request }) => enqueue(web, request),
      needs("enqueue", {
        summary:
          "Enqueue a job. The header Idempotency-Key, of at most 300 characters, makes asking again harmless: 200 for the same once more, 422 for another job under the key. 200 and Queuectl-Known-Job: true when `unique` finds one",
        body: shapes.jobBody,
        answers: { 200: shapes.job, 201: shapes.job },
      }),
    )
    .get(
      "/jobs/:id",
      ({ params }) => showJob(web, params.id),
      needs("read", { summary: "One job and its attempts", answers: { 200: shapes.jobWithHistory } }),
    )
    .get(
      "/jobs/:id/why",
      ({ params }) => why(web, params.id),
      needs("read", { summary: "Why a job does not run, and when it will", answers: { 200: shapes.why } }),
    )
    .get(
      "/jobs/:id/attempts",
      ({ params }) => listAttempts(web, params.id),
      needs("read", { summary: "A job's attempts, the oldest first", answers: { 200: shapes.attempts } }),
    )
    .get(
      "/dlq",
      ({ request }) => listJobs(web, request, "dead"),
      needs("read", {
        summary: "The dead letters, the newest first",
        query: deadQuery,
        answers: { 200: shapes.jobs },
      }),
    )
    .get(
      "/stats",
      async () => jsonReply(await stats(web)),
      needs("read", { summary: "Jobs by state, and how runs went", answers: { 200: shapes.stats } }),
    )
    .get(
      "/events",
      ({ request }) => eventStream(web, request, ({ send, signal }) => tellStats(web, send, signal)),
      needs("read", {
        summary: "The figures of /stats as server-sent events, whenever they change",
        answers: { 200: "text/event-stream" },
      }),
    )
    .get(
      "/workers",
      async () => jsonReply(list((await workers(web)).map(workerJson))),
      needs("read", { summary: "The workers", answers: { 200: shapes.workers } }),
    );

export const list = <T>(data: readonly T[], next: string | null = null) => ({ data, next });

async function listJobs(web: Web, request: Request, state?: JobFilter["state"]): Promise<Response> {
  const query = new URL(request.url).searchParams;
  refuseUnknown(query, Object.keys(state ? deadQuery : listQuery));
  const limit = numberOf(query, "limit") ?? 50;
  if (limit < 1 || limit > mostListed)
    throw misuse(`limit cannot be ${limit}: it is a whole number from 1 to ${mostListed}`);
  const filter = filterOf(query);
  const window = { limit, before: numberOf(query, "before"), scan };
  const { jobs, older } = await web.store.matching.page(state ? { ...filter, state } : filter, window);
  return jsonReply(list(jobs.map(shownJobJson), older === undefined ? null : String(older)));
}

/** A misspelt parameter would silently show everything. */
function refuseUnknown(query: URLSearchParams, known: readonly string[]): void {
  const unknown = [...query.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw misuse(`there is no parameter ${JSON.stringify(unknown)}`, `there are ${known.join(", ")}`);
}

/** How often the figures are looked at. */
const lookMs = 500;

async function tellStats(web: Web, send: Send, signal: AbortSignal): Promise<void> {
  let told = "";
  while (!signal.aborted) {
    const figures = JSON.stringify(await stats(web));
    if (figures !== told) send({ event: "stats", data: figures });
    told = figures;
    await Bun.sleep(lookMs);
  }
}

async function enqueue(web: Web, request: Request): Promise<Response> {
  const body = await jsonOf(request, "job");
  const key = idempotencyKey(request);
  const {
    job,
    replayed,
    known = false,
  } = await pointing(async () => {
    const said = readJobValue(body);
    return enqueueOnce(web, said, key === undefined ? undefined : { key, said });
  });
  if (!replayed && !known) audited(web, request, "enqueue", [job.id]);
  return jsonReply(shownJobJson(job), replayed || known ? 200 : 201, {
    location: `${web.base}/api/v1/jobs/${job.id}`,
    ...(replayed ? { "idempotency-replayed": "true" } : {}),
    ...(known ? { "queuectl-known-job": "true" } : {}),
  });
}

const longestKey = 300;

function idempotencyKey({ headers }: Request): string | undefined {
  const key = headers.get("idempotency-key") || undefined;
  if (key === undefined || key.length <= longestKey) return key;
  throw new Problem(
    400,
    "idempotency-key",
    `the idempotency key has ${key.length} characters; at most ${longestKey} are taken`,
  );
}

async function showJob(web: Web, id: string): Promise<Response> {
  const { job, attempts } = await web.store.jobs.history(id);
  const origin = originJson(await web.store.schedules.originOf(job.seq));
  const family = relativesJson(await web.store.jobs.relatives(job.seq, mostRelatives));
  return jsonReply({
    ...shownJobJson(job),
    ...origin,
    ...family,
    attempts_history: attempts.map(attemptJson),
  });
}

async function why(web: Web, id: string): Promise<Response> {
  const job = await web.store.jobs.find(id);
  return jsonReply({
    id: job.id,
    state: job.state,
    why: whyText(job, await whyFacts(web.store, job, await workers(web))),
  });
}

async function listAttempts(web: Web, id: string): Promise<Response> {
  const { attempts } = await web.store.jobs.history(id);
  return jsonReply(list(attempts.map(attemptJson)));
}
