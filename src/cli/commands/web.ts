// queuectl web: the dashboard and the HTTP API.

import { lookup } from "node:dns/promises";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { isSystemError, misuse, Refusal, reasonOf } from "../../domain/errors.ts";
import { ensureHome } from "../../home.ts";
import { webProcesses } from "../../library/web-processes.ts";
import { version } from "../../version.ts";
import { isLoopback } from "../../web/address.ts";
import type { ServeOptions, Serving } from "../../web/serve.ts";
import { prepareSocket } from "../../web/socket.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { openLastingStore } from "../lasting-store.ts";
import { note, printLine } from "../output.ts";
import { wholeNumber } from "../values.ts";

export const commands: Commands = {
  "web start": {
    flags: [
      ["--host <address>", "Where it listens; 127.0.0.1 by default, 0.0.0.0 for everywhere"],
      ["--port <n>", "5000 by default; 0 for any free one"],
      ["--socket <path>", "Listen at a Unix socket that only you can open, not at a port"],
      ["--require-token", "Ask everyone for the token, also you"],
      ["--allowed-host <name>", "Another name it goes by; may be repeated", "repeatable"],
      ["--tls-cert <file>", "Serve https with this certificate"],
      ["--tls-key <file>", "The certificate's key"],
      [
        "--trusted-proxy <address>",
        "Believe this proxy, such as 10.0.0.0/8, whose request it is; may be repeated",
        "repeatable",
      ],
      ["--base-path <path>", "Serve below this path, such as /queue"],
      ["--label <text>", "Shown on every page, such as prod"],
    ],
    run: web,
  },
};

interface WebOptions {
  readonly host?: string;
  readonly port?: string;
  readonly socket?: string;
  readonly requireToken?: boolean;
  readonly allowedHost?: readonly string[];
  readonly trustedProxy?: readonly string[];
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly basePath?: string;
  readonly label?: string;
}

async function web(context: Context, _words: readonly string[], options: WebOptions): Promise<number> {
  const { host = "127.0.0.1", tlsCert, socket } = options;
  await serveDashboard(context, options, (serving) => {
    if (socket === undefined) tellWhoMay(host, serving, tlsCert !== undefined);
    else tellWayIn(resolve(context.cwd, socket), basePath(options.basePath), serving);
    note("Ctrl-C stops it");
  });
  return done;
}

/** Says on stdout where it listens, calls `tell`, and returns when it was stopped by a signal. */
export async function serveDashboard(
  context: Context,
  options: WebOptions,
  tell: (serving: Serving) => void,
): Promise<void> {
  const host = options.host ?? "127.0.0.1";
  const port = options.port === undefined ? 5000 : wholeNumber("port", options.port, 0, 65_535);
  const tls = tlsOf(options);
  const base = basePath(options.basePath);
  const allowedHosts = options.allowedHost?.map(hostName) ?? [];
  const socket = await socketOf(context, options);

  const { notHere, serve } = await import("../../web/serve.ts");
  // Bun.serve gives the reason of some other call for a name that nobody knows, such as a port in use.
  if (socket === undefined && !(await isKnownHost(host))) throw notHere(host);
  await using store = await openLastingStore(context);
  const settings = () => context.settings(store.now());
  const serving = serve({
    host,
    port,
    socket,
    tls,
    base,
    home: context.home,
    cwd: context.cwd,
    environment: context.environment,
    version,
    requireToken: options.requireToken ?? false,
    allowedHosts,
    trustedProxies: options.trustedProxy ?? [],
    label: options.label,
    processes: webProcesses({ ...context, store: store.now, settings }),
    store: store.now,
    ready: store.ready,
    settings,
    bug: (error) =>
      note(`queuectl: a fault of the dashboard: ${error instanceof Error ? error.stack : error}`),
  });
  await printLine(serving.url);
  tell(serving);
  await stopSignal();
  await serving.stop();
}

/** As a browser sends it as Host; an address with http:// before it would match none. */
function hostName(text: string): string {
  if (/^[^\s/?#@]+$/.test(text)) return text;
  throw misuse(`--allowed-host cannot be ${JSON.stringify(text)}: it is a name such as jobs.example.org`);
}

const isKnownHost = (host: string) =>
  host !== "" &&
  lookup(host).then(
    () => true,
    () => false,
  );

function tellWhoMay(host: string, { guarded, loginLink }: Serving, encrypted: boolean): void {
  if (!isLoopback(host)) {
    note(
      `it listens on ${host}: whoever reaches this machine can try to log in, and whoever has the token can run commands as you`,
    );
    if (!encrypted)
      note("what is sent is not encrypted; --tls-cert and --tls-key, or a proxy in front, change that");
  }
  const link = loginLink();
  note(guarded ? `log in once with ${link}` : `if it asks for a token, log in once with ${link}`);
}

function tellWayIn(socket: string, base: string, { guarded, loginLink }: Serving): void {
  note(`curl --unix-socket ${socket} http://localhost${base}/api/v1/stats`);
  note(
    `from elsewhere: ssh -L 5000:${socket} and this host, then http://localhost:5000${base}/ in a browser there`,
  );
  if (guarded) note(`log in once with ${loginLink()}`);
}

async function socketOf(context: Context, options: WebOptions): Promise<string | undefined> {
  if (options.socket === undefined) return undefined;
  const other = (["host", "port", "tlsCert", "tlsKey"] as const).some((name) => options[name] !== undefined);
  if (other) throw misuse("--socket takes the place of --host and --port, and needs no --tls-cert");
  if (options.socket === "") throw misuse("--socket needs a path");
  const path = resolve(context.cwd, options.socket);
  // The home is as good a place as any, and may not be there yet.
  ensureHome(context.home);
  await prepareSocket(path);
  return path;
}

function tlsOf({ tlsCert, tlsKey }: WebOptions): ServeOptions["tls"] {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) throw misuse("--tls-cert and --tls-key belong together");
  return { cert: textOf("--tls-cert", tlsCert), key: textOf("--tls-key", tlsKey) };
}

function textOf(option: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new Refusal(
      "not_found",
      `${option}: ${path} cannot be read: ${isSystemError(error) ? reasonOf(error) : error}`,
    );
  }
}

function basePath(text = "/"): string {
  const path = text.replace(/\/+$/, "");
  if (path === "" || /^(\/[A-Za-z0-9._~-]+)+$/.test(path)) return path;
  throw misuse(`--base-path cannot be ${JSON.stringify(text)}: it is a path such as /queue`);
}

function stopSignal(): Promise<void> {
  return new Promise((stop) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop());
  });
}
