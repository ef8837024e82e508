// What every route is given: the queue, who calls, and what a page needs to know about its reader.

import type { Ui } from "../../views/parts/ui.ts";
import { misuse } from "../domain/errors.ts";
import type { Job } from "../domain/job.ts";
import { isScope, type Scope } from "../domain/scope.ts";
import type { Settings } from "../domain/settings.ts";
import type { Worker } from "../domain/worker.ts";
import type { RemovedJob } from "../store/jobs.ts";
import type { Store } from "../store/store.ts";
import type { Access, Caller } from "./access.ts";
import type { Audit } from "./audit.ts";
import type { BulkRuns } from "./bulk-runs.ts";
import { Problem } from "./errors.ts";
import { refuseBody } from "./json-body.ts";
import type { Notices } from "./notices.ts";
import { newNonce } from "./reply.ts";
import type { Sessions } from "./sessions.ts";
import type { Shared } from "./shared.ts";
import type { KnownToken } from "./tokens.ts";

/** What the dashboard needs of processes; the command line brings it. */
export interface Processes {
  /** All workers; those whose process is gone as `dead`. */
  workers(): Promise<readonly Worker[]>;
  /** Starts a worker process in the background; fulfilled with its workers' ids. */
  start(count: number, queues: readonly string[]): Promise<readonly string[]>;
  /** Ends running jobs that were cancelled and whose worker is dead: nobody else would. */
  endCancelled(jobs: readonly Job[]): Promise<void>;
  removeLogs(removed: readonly RemovedJob[]): void;
}

export interface Web {
  readonly store: Store;
  readonly home: string;
  /** Where commands run whose job does not say. */
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly processes: Processes;
  readonly settings: () => Promise<Settings>;
  readonly access: Access;
  readonly sessions: Sessions;
  readonly tokens: () => readonly KnownToken[];
  readonly notices: Notices;
  readonly shared: Shared;
  readonly audit: Audit;
  readonly bulkRuns: BulkRuns;
  /** In front of every path, such as `/queue`; empty for none. */
  readonly base: string;
  /** Shown on every page, such as `prod`. */
  readonly label: string | undefined;
  readonly tls: boolean;
  readonly version: string;
  /** The address of whoever asked. */
  readonly addressOf: (request: Request) => string;
  /** Lets an answer take as long as it likes. */
  readonly hold: (request: Request) => void;
  /** Refused while the queue cannot be reached. */
  readonly ready: () => Promise<void>;
  /** Told of every error that is a fault of ours. */
  readonly bug: (error: unknown) => void;
  /** Aborted when the server stops. */
  readonly stopping: AbortSignal;
}

const callers = new WeakMap<Request, Caller>();

export const remember = (request: Request, caller: Caller) => callers.set(request, caller);

export const callerOf = (request: Request) => callers.get(request);

/** What views know of their reader. A part (`/p/…`) is shown inside of the page that it belongs to. */
export async function uiFor(web: Web, request: Request): Promise<Ui> {
  const { refresh_interval } = await web.shared("settings", web.settings);
  return {
    ...plainUi(web, request),
    now: await web.shared("now", () => web.store.now()),
    refresh: refresh_interval,
  };
}

/** The same without asking the queue, which may be what is wrong. */
export function plainUi(web: Web, request: Request): Ui {
  const url = new URL(request.url);
  const notice = url.searchParams.get("notice");
  const path = url.pathname.slice(web.base.length).replace(/^\/p(?=\/)/, "");
  return {
    nonce: newNonce(),
    base: web.base,
    label: web.label,
    scopes: callerOf(request)?.scopes ?? new Set(),
    loggedIn: callerOf(request)?.name.startsWith("session") ?? false,
    now: Date.now(),
    path: path === "/overview" || path === "" ? "/" : path,
    query: url.searchParams,
    refresh: 0,
    theme: themeOf(request),
    notice: notice === null ? undefined : web.notices.take(notice),
  };
}

function themeOf(request: Request): Ui["theme"] {
  const theme = /(?:^|; *)qctl_theme=(light|dark)(?:;|$)/.exec(request.headers.get("cookie") ?? "")?.[1];
  return theme === "light" || theme === "dark" ? theme : "auto";
}

/** What a route may be used for, and by whom; a route without it makes the start fail. */
export type RouteScope = Scope | "public";

export const isRouteScope = (value: unknown): value is RouteScope =>
  value === "public" || (typeof value === "string" && isScope(value));

/** What the API document says of a route. */
export interface RouteDoc {
  readonly summary: string;
  readonly body?: unknown;
  readonly query?: Readonly<Record<string, string>>;
  readonly answers?: Readonly<Record<number, unknown>>;
}

/** The options of a route that callers need a scope for. */
export function needs(scope: RouteScope, doc?: RouteDoc) {
  return {
    detail: { scope, doc } as Record<string, unknown>,
    async beforeHandle({ request }: { request: Request }) {
      if (scope !== "public") checkScope(request, scope);
      if (doc && request.method !== "GET" && request.method !== "HEAD") await refuseUnread(request, doc);
    },
  };
}

/** What a route does not read would be passed over: all be meant where one is named, or be done what was only to be counted. */
async function refuseUnread(request: Request, { query = {}, body }: RouteDoc): Promise<void> {
  const names = [...new URL(request.url).searchParams.keys()];
  const unknown = names.find((name) => !Object.hasOwn(query, name));
  const advice = body === undefined ? undefined : "what is meant stands in the body";
  if (unknown !== undefined) throw misuse(`there is no parameter ${JSON.stringify(unknown)}`, advice);
  if (body === undefined) await refuseBody(request);
}

export function checkScope(request: Request, scope: Scope): void {
  const caller = callerOf(request);
  if (!caller) {
    throw new Problem(401, "token-needed", "this needs a token", "queuectl web token shows it", {
      headers: { "www-authenticate": "Bearer" },
    });
  }
  if (!caller.scopes.has(scope)) {
    throw new Problem(403, "scope", `you may not do this: it takes the scope ${scope}`);
  }
}
