// The dashboard and its API, made from a queue. Does not listen, so that tests can call it.

import { type AnyElysia, Elysia } from "elysia";
import { apiDocument } from "./api-document.ts";
import { assetReply } from "./assets.ts";
import { errorReply, problemReply } from "./error-reply.tsx";
import { faultOf, Problem } from "./errors.ts";
import { compressed, jsonReply } from "./reply.ts";
import { alertRoutes } from "./routes/alerts.tsx";
import { apiRoutes } from "./routes/api.ts";
import { apiAlertRoutes } from "./routes/api-alerts.ts";
import { apiDeadLetterRoutes } from "./routes/api-dead-letter.ts";
import { apiJobRoutes } from "./routes/api-jobs.ts";
import { apiPruneRoutes } from "./routes/api-prune.ts";
import { apiQueueRoutes } from "./routes/api-queues.ts";
import { apiScheduleRoutes } from "./routes/api-schedules.ts";
import { apiSettingRoutes } from "./routes/api-settings.ts";
import { apiWorkerRoutes } from "./routes/api-workers.ts";
import { bulkRoutes } from "./routes/bulk.tsx";
import { deadLetterRoutes } from "./routes/dead-letter.tsx";
import { editRoutes } from "./routes/edit.ts";
import { enqueueRoutes } from "./routes/enqueue.tsx";
import { healthRoutes } from "./routes/health.ts";
import { jobRoutes } from "./routes/job.tsx";
import { jobsRoutes } from "./routes/jobs.tsx";
import { loginRoutes } from "./routes/login.tsx";
import { logRoutes } from "./routes/logs.tsx";
import { metricsRoutes } from "./routes/metrics.ts";
import { overviewRoutes } from "./routes/overview.tsx";
import { queueRoutes } from "./routes/queues.tsx";
import { scheduleRoutes } from "./routes/schedules.tsx";
import { settingRoutes } from "./routes/settings.tsx";
import { workerRoutes } from "./routes/workers.tsx";
import { isRouteScope, needs, remember, type Web } from "./web.ts";

export interface WebApp {
  /** Answers a request; never rejects. */
  handle(request: Request): Promise<Response>;
  readonly routes: readonly RouteInfo[];
}

export interface RouteInfo {
  readonly method: string;
  readonly path: string;
  /** What the API document says of it. */
  readonly doc: unknown;
  readonly scope: string;
}

const routeFiles = [
  overviewRoutes,
  jobsRoutes,
  jobRoutes,
  bulkRoutes,
  logRoutes,
  deadLetterRoutes,
  workerRoutes,
  queueRoutes,
  scheduleRoutes,
  alertRoutes,
  settingRoutes,
  enqueueRoutes,
  editRoutes,
  loginRoutes,
  apiRoutes,
  apiJobRoutes,
  apiDeadLetterRoutes,
  apiWorkerRoutes,
  apiSettingRoutes,
  apiPruneRoutes,
  apiScheduleRoutes,
  apiAlertRoutes,
  apiQueueRoutes,
  metricsRoutes,
  healthRoutes,
] as const;

/** `more` are route files of a test. */
export function makeApp(web: Web, more: readonly ((web: Web) => AnyElysia)[] = []): WebApp {
  const app = new Elysia({ prefix: web.base }).onError(({ error, code, request }) => {
    if (code === "NOT_FOUND") return errorReply(web, request, notFound(app, request));
    return errorReply(web, request, error);
  });
  for (const routes of [...routeFiles, ...more]) app.use(routes(web));
  const document = () => jsonReply(apiDocument(checkedRoutes(app), web.version, web.base));
  app.get("/api/v1/openapi.json", document, needs("read"));
  const declared = checkedRoutes(app);
  return {
    routes: declared,
    async handle(request) {
      if (!URL.canParse(request.url)) return problemReply(faultOf(noAddress()));
      try {
        web.access.check(request);
        const asset = assetOf(web, request);
        if (asset) return asset;
        const caller = await web.access.identify(request);
        if (caller) remember(request, caller);
        checkAddress(request);
        await web.ready();
        const reply = await compressed(request, await app.handle(request));
        if (web.tls) reply.headers.set("strict-transport-security", "max-age=31536000");
        return reply;
      } catch (error) {
        return errorReply(web, request, error);
      }
    },
  };
}

/** The routes with their scopes. One that says nothing of who may use it is a fault of ours, and found before anybody can. */
function checkedRoutes(app: AnyElysia): RouteInfo[] {
  return app.routes.map(({ method, path, hooks }) => {
    const { scope, doc } = (hooks?.detail ?? {}) as { scope?: unknown; doc?: unknown };
    if (!isRouteScope(scope)) throw new Error(`the route ${method} ${path} does not declare its scope`);
    return { method, path, scope, doc };
  });
}

/** A host that is none, or none at all, makes an address of which nothing can be read, not even what it asks for. */
const noAddress = () =>
  new Problem(400, "address", "the request has no address that can be read: its host is none");

/** Refuses an address that says no text: what its routes were given would be none. */
function checkAddress(request: Request): void {
  const { pathname } = new URL(request.url);
  try {
    if (!decodeURIComponent(pathname).includes("\0")) return;
  } catch {
    // Bytes that are not UTF-8.
  }
  throw new Problem(400, "address", "the address contains what is no text");
}

function assetOf(web: Web, request: Request): Response | undefined {
  const { pathname } = new URL(request.url);
  if (request.method !== "GET" && request.method !== "HEAD") return undefined;
  return pathname.startsWith(`${web.base}/assets/`)
    ? assetReply(pathname.slice(web.base.length), request)
    : undefined;
}

/** There is nothing, or there is, for another method. */
function notFound(app: AnyElysia, request: Request): Problem {
  const { pathname } = new URL(request.url);
  const allowed = app.routes.filter(({ path }) => isAt(path, pathname)).map(({ method }) => method);
  if (allowed.length === 0) return new Problem(404, "no-page", `there is no page ${pathname.slice(0, 200)}`);
  return new Problem(
    405,
    "method",
    `${request.method} is nothing that ${pathname.slice(0, 200)} does`,
    undefined,
    {
      headers: { allow: [...new Set(allowed)].join(", ") },
    },
  );
}

/** Whether an address is one of a route's, such as `/jobs/:id`. */
function isAt(path: string, pathname: string): boolean {
  const parts = pathname.replace(/(?<=.)\/$/, "").split("/");
  const wanted = path.split("/");
  return (
    parts.length === wanted.length &&
    wanted.every((part, index) => part.startsWith(":") || part === parts[index])
  );
}
