// What an attempt printed: as it is, and as it grows.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { Elysia } from "elysia";
import { openJobLog } from "../../store/logs.ts";
import { Problem } from "../errors.ts";
import { numberOf } from "../filters.ts";
import { withoutSecrets } from "../log-secrets.ts";
import { followLog } from "../log-stream.tsx";
import { eventStream, rawLog } from "../streams.ts";
import { needs, type Web } from "../web.ts";
import { attemptOf, historyOf, historyShown, streamOf } from "./job.tsx";

export const logRoutes = (web: Web) =>
  new Elysia()
    .get("/jobs/:id/log", ({ request, params }) => raw(web, request, params.id), needs("read"))
    .get("/jobs/:id/log/stream", ({ request, params }) => stream(web, request, params.id), needs("read"));

export async function raw(
  web: Web,
  request: Request,
  id: string,
  query = new URL(request.url).searchParams,
): Promise<Response> {
  const { job, attempts } = await historyOf(web, id);
  const attempt = attemptOf(attempts, query);
  if (!attempt) throw new Problem(404, "no-attempt", "this job has not run yet, so there is no output");
  const of = streamOf(job, query);
  const log = openJobLog(web, job.seq, attempt.number, of);
  if (!log) throw new Problem(404, "no-log", "there is no output of this attempt");
  web.hold(request);
  return rawLog(
    withoutSecrets(log, job, web),
    `${job.id}-${attempt.number}${of === "stderr" ? ".err" : ""}.log`,
    request,
  );
}

async function stream(web: Web, request: Request, id: string): Promise<Response> {
  const query = new URL(request.url).searchParams;
  const { job, attempts } = await historyShown(web, id);
  const attempt = attemptOf(attempts, query);
  if (!attempt) throw new Problem(404, "no-attempt", "this job has not run yet, so there is no output");
  const start = placeOf(request.headers.get("last-event-id")) ?? {
    from: numberOf(query, "from") ?? 0,
    line: numberOf(query, "line") ?? 1,
  };
  const place = { job, attempt: attempt.number, stream: streamOf(job, query), ...start };
  return eventStream(web, request, (events) => followLog(web, place, events));
}

/** Where a stream broke off: the id of the last event that arrived, `byte:line`. */
function placeOf(id: string | null): { from: number; line: number } | undefined {
  const match = /^(\d{1,15}):(\d{1,12})$/.exec(id ?? "");
  return match ? { from: Number(match[1]), line: Number(match[2]) } : undefined;
}
