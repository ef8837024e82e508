// Workers in the HTTP API: started and stopped.

import { Elysia } from "elysia";
import { checkQueue } from "../../domain/job.ts";
import * as shapes from "../../input/api.ts";
import { audited } from "../forms.ts";
import { optionalJson } from "../json-body.ts";
import { jsonReply } from "../reply.ts";
import { needs, type Web } from "../web.ts";
import { countOf, wantedWorkers } from "./workers.tsx";

export const apiWorkerRoutes = (web: Web) =>
  new Elysia({ prefix: "/api/v1" })
    .post(
      "/workers",
      ({ request }) => start(web, request),
      needs("operate", {
        summary: "Start workers in the background",
        body: shapes.startBody,
        answers: { 201: shapes.workerIds },
      }),
    )
    .post(
      "/workers/stop",
      ({ request }) => stop(web, request),
      needs("operate", {
        summary: "Stop a worker, or all",
        body: shapes.stopBody,
        answers: { 202: shapes.workerIds },
      }),
    );

async function start(web: Web, request: Request): Promise<Response> {
  const { count = 1, queues = [] } = shapes.readBody(shapes.startBody, await optionalJson(request));
  // A name that is empty, as of a variable that is not set, would mean all queues.
  queues.forEach(checkQueue);
  const worker_ids = await web.processes.start(countOf(String(count)), queues);
  audited(web, request, "worker start", worker_ids);
  return jsonReply({ worker_ids }, 201);
}

async function stop(web: Web, request: Request): Promise<Response> {
  const { id, force = false } = shapes.readBody(shapes.stopBody, await optionalJson(request));
  const worker_ids = await wantedWorkers(web, id ?? null);
  await web.store.workers.stop(worker_ids, force ? "release" : "finish");
  audited(web, request, "worker stop", worker_ids);
  return jsonReply({ worker_ids }, 202);
}
