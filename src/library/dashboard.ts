// The dashboard and its API as a part of somebody's own Elysia app: below a prefix, for those whom the app lets in.

import { resolve } from "node:path";
import type { Server } from "bun";
import type { AnyElysia, Elysia } from "elysia";
import { misuse, Refusal } from "../domain/errors.ts";
import { isScope, type Scope, scopes } from "../domain/scope.ts";
import { ensureHome } from "../home.ts";
import { version } from "../version.ts";
import { type Access, checkSource, makeAccess, type Names } from "../web/access.ts";
import { makeApp } from "../web/app.ts";
import { Problem } from "../web/errors.ts";
import { webState } from "../web/state.ts";
import { ensureToken, tokenReader } from "../web/tokens.ts";
import type { Web } from "../web/web.ts";
import { checkListener, checkOptions, shownValue } from "./checks.ts";
import { partsOf, type Queue } from "./queue.ts";
import { webProcesses } from "./web-processes.ts";

/** What somebody may do: `read` all there is; `operate`, which is to retry, cancel, delete and set as well; `enqueue`, which is all. */
export type Allowed = Scope | undefined;

export interface DashboardOptions {
  readonly queue: Queue;
  /** The whole path of it; `/queue` by default. It is used in the outermost app, in no group and below no other prefix. */
  readonly prefix?: string | undefined;
  /**
   * Asked for every request: what whoever sent it may do, or undefined for nothing. It is then the only judge. Without it everyone needs
   * the token that `queuectl web token` shows. Whoever may enqueue can run any command as the user who runs the workers.
   */
  readonly allow?: ((request: Request) => Allowed | Promise<Allowed>) | undefined;
  /**
   * The names that the app goes by, such as `app.example.org`. Without them it answers to localhost and to addresses only, so that no page
   * of another site can reach it under a name of its own.
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Shown on every page, such as `prod`. */
  readonly label?: string | undefined;
  /** Told of every fault of the dashboard itself; written to stderr by default. */
  readonly onFault?: ((error: unknown) => void) | undefined;
}

/** A plugin: `new Elysia().use(dashboard({ queue, prefix: "/jobs" }))`. What the app has beside the prefix is not touched. */
export function dashboard(options: DashboardOptions): <App extends AnyElysia>(app: App) => App {
  checkDashboard(options);
  const stopping = new AbortController();
  const servers = new WeakMap<Request, Server<unknown>>();
  const { handle } = makeApp(webOf(options, stopping.signal, servers));
  const base = prefixOf(options.prefix);

  return (app) => {
    const { prefix = "" } = app.config;
    if (prefix !== "")
      throw misuse(
        `the dashboard cannot be below the prefix ${JSON.stringify(prefix)} of an app`,
        "use it in the outermost app, with the whole path as its own prefix",
      );
    // Whatever else it has, it takes these.
    const plain = app as unknown as Elysia;
    for (const path of [base, `${base}/*`] as const) {
      plain.all(
        path,
        ({ request, server }) => {
          if (server) servers.set(request, server as Server<unknown>);
          return handle(request);
        },
        // The body is left to the dashboard, which reads no more of it than it needs.
        { parse: "none" },
      );
    }
    plain.onStop(() => stopping.abort());
    return app;
  };
}

/** One that is misspelt would be left out without a word, and one of another kind fail with every request. */
function checkDashboard(options: DashboardOptions): void {
  checkOptions(options, ["queue", "prefix", "allow", "allowedHosts", "label", "onFault"]);
  const { allow, allowedHosts = [], label, onFault } = options;
  if (allow !== undefined) checkListener("allow", allow);
  if (onFault !== undefined) checkListener("onFault", onFault);
  if (!Array.isArray(allowedHosts) || !allowedHosts.every((name) => typeof name === "string" && name !== ""))
    throw misuse(`allowedHosts cannot be ${shownValue(allowedHosts)}: it is a list of names`);
  if (label !== undefined && typeof label !== "string")
    throw misuse(`label cannot be ${shownValue(label)}: it is a text`);
}

function webOf(
  { queue, prefix, allow, allowedHosts = [], label, onFault = console.error }: DashboardOptions,
  stopping: AbortSignal,
  servers: WeakMap<Request, Server<unknown>>,
): Web {
  const { store, home, environment, settings, closed } = partsOf(queue);
  ensureHome(home);
  const names: Names = {
    port: undefined,
    loopback: false,
    tls: false,
    allowedHosts,
    howToAllow: "name it in the dashboard's allowedHosts if it should",
  };
  const state = webState(home);
  const tokens = allow ? () => [] : tokensOf(home);
  return {
    ...state,
    store,
    home,
    cwd: process.cwd(),
    environment,
    settings,
    tokens,
    label,
    version,
    base: prefixOf(prefix),
    tls: false,
    processes: webProcesses({ home, environment, settings, store: () => store, program: program() }),
    access: allow
      ? judgedBy(allow, names)
      : makeAccess({ ...names, requireToken: true, tokens, sessions: state.sessions, sameUser: () => false }),
    addressOf: (request) => servers.get(request)?.requestIP(request)?.address ?? "unknown",
    hold: (request) => servers.get(request)?.timeout(request, 0),
    ready: async () => {
      if (closed.aborted)
        throw new Refusal(
          "unavailable",
          "the app has closed the queue",
          "an app keeps it open as long as it serves; await using closes it at the end of the block or file",
        );
      await store.now();
    },
    bug: onFault,
    stopping: AbortSignal.any([stopping, closed]),
  };
}

function tokensOf(home: string) {
  ensureToken(home);
  return tokenReader(home);
}

/** Whatever `allow` says that is no scope lets nobody in. */
const judgedBy = (allow: NonNullable<DashboardOptions["allow"]>, names: Names): Access => ({
  // There are no sessions.
  cookieName: "qctl",
  check: (request) => checkSource(request, names),
  async identify(request) {
    const allowed = await allow(request);
    if (typeof allowed !== "string" || !isScope(allowed))
      throw new Problem(
        403,
        "not-allowed",
        "you may not see this queue",
        "the app that it is part of decides that",
      );
    return { name: `app (${allowed})`, scopes: new Set(scopes.slice(0, scopes.indexOf(allowed) + 1)) };
  },
});

function prefixOf(prefix = "/queue"): string {
  if (/^(\/[A-Za-z0-9._~-]+)+$/.test(prefix)) return prefix;
  throw misuse(
    `prefix cannot be ${JSON.stringify(prefix)}: it is a path such as /queue, without a / at its end`,
  );
}

/** What starts workers: this package; of an app that is one binary, the queuectl that is installed. */
const program = (): string[] =>
  Bun.isStandaloneExecutable
    ? ["queuectl"]
    : [process.execPath, resolve(import.meta.dir, "../../queuectl.ts")];
