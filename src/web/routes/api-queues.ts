// Queues in the HTTP API.

import { Elysia } from "elysia";
import { checkQueue } from "../../domain/job.ts";
import { queueJson } from "../../domain/json.ts";
import { checkLimits, type QueueLimits, readRate } from "../../domain/queue.ts";
import * as shapes from "../../input/api.ts";
import { audited } from "../forms.ts";
import { jsonOf } from "../json-body.ts";
import { type PauseVerb, pauseOrResume, queueOf } from "../queues.ts";
import { queues } from "../reads.ts";
import { jsonReply } from "../reply.ts";
import { needs, type Web } from "../web.ts";
import { list } from "./api.ts";

export const apiQueueRoutes = (web: Web) =>
  new Elysia({ prefix: "/api/v1/queues" })
    .get(
      "",
      async () => jsonReply(list((await queues(web)).map(queueJson))),
      needs("read", {
        summary: "The queues that have jobs, limits or a pause",
        answers: { 200: shapes.queues },
      }),
    )
    .get(
      "/:queue",
      async ({ params }) => jsonReply(queueJson(await queueOf(web, params.queue))),
      needs("read", { summary: "One queue", answers: { 200: shapes.queue } }),
    )
    .patch(
      "/:queue",
      ({ request, params }) => limit(web, request, params.queue),
      needs("operate", {
        summary: "Change a queue's limits; null takes one away",
        body: shapes.limitsBody,
        answers: { 200: shapes.queue },
      }),
    )
    .post(
      "/:queue/pause",
      ({ request, params }) => change(web, request, params.queue, "pause"),
      needs("operate", {
        summary: "Let no job of it start until it is resumed",
        answers: { 200: shapes.queue },
      }),
    )
    .post(
      "/:queue/resume",
      ({ request, params }) => change(web, request, params.queue, "resume"),
      needs("operate", { summary: "Let it go on", answers: { 200: shapes.queue } }),
    );

async function limit(web: Web, request: Request, name: string): Promise<Response> {
  checkQueue(name);
  const limits = limitsFrom(shapes.readBody(shapes.limitsBody, await jsonOf(request)));
  await web.store.queues.limit(name, limits);
  audited(web, request, "queue set", [name]);
  return jsonReply(queueJson(await queueOf(web, name)));
}

interface LimitsBody {
  readonly concurrency?: number | null | undefined;
  readonly rate?: string | null | undefined;
}

function limitsFrom({ concurrency, rate }: LimitsBody): Partial<QueueLimits> {
  const limits: Partial<QueueLimits> = {
    ...(concurrency !== undefined && { concurrency }),
    ...(rate !== undefined && { rate: rate === null ? null : readRate(rate) }),
  };
  checkLimits(limits);
  return limits;
}

async function change(web: Web, request: Request, name: string, verb: PauseVerb): Promise<Response> {
  await pauseOrResume(web, name, verb);
  audited(web, request, `queue ${verb}`, [name]);
  return jsonReply(queueJson(await queueOf(web, name)));
}
