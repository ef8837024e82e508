// Listens, and stops: at once, however many streams are open.

import type { Server } from "bun";
import { Refusal } from "../domain/errors.ts";
import type { Settings } from "../domain/settings.ts";
import type { Store } from "../store/store.ts";
import { makeAccess } from "./access.ts";
import { clientAddress, isLoopback, readNetworks } from "./address.ts";
import { makeApp } from "./app.ts";
import { mostOfAll } from "./body.ts";
import { isSameUser, type Peer } from "./peer.ts";
import type { Sessions } from "./sessions.ts";
import { asOwnerOnly } from "./socket.ts";
import { webState } from "./state.ts";
import { ensureToken, tokenReader } from "./tokens.ts";
import type { Processes, Web } from "./web.ts";

export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  /** A path to listen at in place of host and port; `prepareSocket` came before. */
  readonly socket: string | undefined;
  readonly home: string;
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly version: string;
  readonly requireToken: boolean;
  readonly allowedHosts: readonly string[];
  readonly trustedProxies: readonly string[];
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly base: string;
  readonly label: string | undefined;
  readonly processes: Processes;
  /** The queue as it is now; opened anew when its database was put in another's place. */
  readonly store: () => Store;
  /** Refused while the queue cannot be reached. */
  readonly ready: () => Promise<void>;
  readonly settings: () => Promise<Settings>;
  readonly bug: (error: unknown) => void;
}

export interface Serving {
  readonly url: string;
  /** Whether everybody needs a token. */
  readonly guarded: boolean;
  /** A link that logs a browser in, once. */
  loginLink(): string;
  stop(): Promise<void>;
}

export function serve(options: ServeOptions): Serving {
  const { host, home, tls, base, socket } = options;
  const loopback = socket !== undefined || isLoopback(host);
  const canTell = socket !== undefined || process.platform === "linux";
  const guarded = options.requireToken || !loopback || !canTell;
  if (guarded) ensureToken(home);
  const proxies = readNetworks(options.trustedProxies);
  const stopping = new AbortController();
  const state = webState(home);
  const { sessions } = state;
  const tokens = tokenReader(home);
  tokens();
  let handle: (request: Request) => Promise<Response> = async () => new Response(null, { status: 503 });
  const peers = new WeakMap<Request, Peer>();

  const server = listen(options, (request, from) => {
    const peer = from.requestIP(request);
    if (peer) peers.set(request, peer);
    return handle(request);
  });
  const { port } = server;
  const web: Web = {
    home,
    cwd: options.cwd,
    environment: options.environment,
    processes: options.processes,
    settings: options.settings,
    version: options.version,
    base,
    label: options.label,
    tls: tls !== undefined,
    ...state,
    tokens,
    ready: options.ready,
    bug: options.bug,
    stopping: stopping.signal,
    get store() {
      return options.store();
    },
    hold: (request) => server.timeout(request, 0),
    addressOf: (request) => clientAddress(peers.get(request)?.address ?? "socket", request.headers, proxies),
    access: makeAccess({
      port,
      loopback,
      tls: tls !== undefined,
      requireToken: options.requireToken,
      allowedHosts: options.allowedHosts,
      howToAllow: "start it with --allowed-host and that name if it should",
      tokens,
      sessions,
      sameUser: (request) => {
        // Nobody else can open the socket.
        if (port === undefined) return socket !== undefined;
        const peer = peers.get(request);
        return peer !== undefined && isSameUser(peer, port);
      },
    }),
  };
  handle = makeApp(web).handle;
  // A socket has no address of its own; this is the one that a tunnel's other end is mostly given.
  const origin = `${tls ? "https" : "http"}://${shownHost(host)}:${port ?? 5000}${base}`;

  return {
    guarded,
    url: socket === undefined ? `${origin}/` : `unix:${socket}`,
    loginLink: () => loginLink(home, sessions, origin),
    async stop() {
      stopping.abort();
      await server.stop(true);
    },
  };
}

function loginLink(home: string, sessions: Sessions, origin: string): string {
  ensureToken(home);
  return `${origin}/login?code=${sessions.newCode()}`;
}

type Handler = (request: Request, server: Server<undefined>) => Promise<Response>;

/** A host to listen on that is none of this machine's. */
export const notHere = (host: string) =>
  new Refusal(
    "unavailable",
    `${JSON.stringify(host)} is no address of this machine`,
    "leave out --host, or name one that it has",
  );

/** What listening fails with where the host has no address, or one of another machine. */
const noAddress: ReadonlySet<string> = new Set(["ENOENT", "ENOTFOUND", "EADDRNOTAVAIL"]);

function listen({ host, port, socket, tls }: ServeOptions, fetch: Handler): Server<undefined> {
  const common = { development: false, maxRequestBodySize: mostOfAll, fetch };
  try {
    if (socket !== undefined) return asOwnerOnly(() => Bun.serve({ unix: socket, ...common }));
    // With reusePort a second server on this port would start without a word, and share its requests.
    return Bun.serve({
      hostname: host,
      port,
      reusePort: false,
      idleTimeout: 30,
      ...(tls ? { tls } : {}),
      ...common,
    });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (socket !== undefined) throw new Refusal("unavailable", `cannot listen at ${socket}: ${message}`);
    if (code === "EADDRINUSE") {
      throw new Refusal(
        "unavailable",
        `port ${port} is in use on ${host}`,
        "stop what listens there, or choose another: --port 5001",
      );
    }
    if (code === "EACCES")
      throw new Refusal(
        "unavailable",
        `port ${port} may not be used by you`,
        "choose one above 1023: --port 5000",
      );
    if (noAddress.has(code ?? "")) throw notHere(host);
    // OpenSSL says it with its number, its place and a name in capitals.
    const openSsl = /^error:[0-9a-f]+:.*:(\w+)/i.exec(message)?.[1];
    if (openSsl !== undefined)
      throw new Refusal(
        "unavailable",
        `--tls-cert and --tls-key cannot be used: ${openSsl.replaceAll("_", " ").toLowerCase()}`,
        "name a certificate and its key, both as PEM",
      );
    throw new Refusal("unavailable", `cannot listen on ${host}:${port}: ${message}`);
  }
}

/** What to type into a browser; a server that listens everywhere is reached here by its own name. */
function shownHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}
