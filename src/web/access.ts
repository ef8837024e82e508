// Who may reach the dashboard: the right host name, no page of another site, and then the same user of this machine, or a token.
// Each check answers with what failed and how to mend it.

import { isIP } from "node:net";
import { type Scope, scopes } from "../domain/scope.ts";
import { isLoopback } from "./address.ts";
import { Problem } from "./errors.ts";
import type { Session, Sessions } from "./sessions.ts";
import { type KnownToken, verifyToken } from "./tokens.ts";

export interface AccessOptions {
  /** Undefined where it listens at a Unix socket. */
  readonly port: number | undefined;
  /** Whether only this machine can connect. */
  readonly loopback: boolean;
  readonly tls: boolean;
  readonly requireToken: boolean;
  /** Names beside the machine's own addresses, with or without a port. */
  readonly allowedHosts: readonly string[];
  /** How another name is allowed. */
  readonly howToAllow: string;
  readonly tokens: () => readonly KnownToken[];
  readonly sessions: Sessions;
  /** Whether the request comes from a process of this very user. */
  readonly sameUser: (request: Request) => boolean;
}

export interface Caller {
  /** For the audit log. */
  readonly name: string;
  readonly scopes: ReadonlySet<Scope>;
}

export interface Access {
  /** Throws a Problem for a host name or an origin that is not ours. */
  check(request: Request): void;
  /** Undefined for somebody who has to show a token first. */
  identify(request: Request): Promise<Caller | undefined>;
  readonly cookieName: string;
}

const everything: ReadonlySet<Scope> = new Set(scopes);

const safeMethods: readonly string[] = ["GET", "HEAD", "OPTIONS"];

/** Whoever adds one of these passes on what somebody else asked, so the socket does not say who that is. */
const isProxyHeader = (name: string) =>
  name === "forwarded" || name === "via" || name === "x-real-ip" || name.startsWith("x-forwarded");

export function makeAccess(options: AccessOptions): Access {
  const cookieName = `${options.tls ? "__Host-" : ""}qctl_${options.port ?? "socket"}`;
  return {
    cookieName,
    check: (request) => checkSource(request, options),
    async identify(request) {
      const bearer = bearerOf(request);
      if (bearer !== undefined) {
        const token = verifyToken(bearer, options.tokens());
        return token && { name: `token ${token.digest.toString("hex").slice(0, 8)}`, scopes: token.scopes };
      }
      const session = sessionOf(request, cookieName, options);
      if (session) return session;
      const passedOn = [...request.headers.keys()].some(isProxyHeader);
      if (options.requireToken || !options.loopback || passedOn || !options.sameUser(request))
        return undefined;
      return { name: "same user", scopes: everything };
    },
  };
}

const bearerOf = (request: Request) =>
  /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];

function sessionOf(
  request: Request,
  cookieName: string,
  { sessions, tokens }: AccessOptions,
): Session | undefined {
  const cookie = cookieOf(request, cookieName);
  return cookie === undefined ? undefined : sessions.find(cookie, tokens());
}

export function cookieOf(request: Request, name: string): string | undefined {
  for (const pair of (request.headers.get("cookie") ?? "").split(/; */)) {
    if (pair.startsWith(`${name}=`)) return pair.slice(name.length + 1);
  }
  return undefined;
}

/** What the server goes by. */
export type Names = Pick<AccessOptions, "port" | "loopback" | "tls" | "allowedHosts" | "howToAllow">;

/** Throws a Problem for a host name or an origin that is not ours. */
export function checkSource(request: Request, names: Names): void {
  checkHost(request, names);
  checkOrigin(request);
}

/**
 * A page of another site can make a browser connect here under a name of its own (DNS rebinding), but cannot choose what the
 * browser then sends as Host. Two Host headers arrive joined by a comma, and so match nothing.
 */
function checkHost(request: Request, options: Names): void {
  const { port, loopback, tls, allowedHosts, howToAllow } = options;
  const host = (request.headers.get("host") ?? "").toLowerCase();
  const { name, port: given } = splitHost(host);
  const address = name.replace(/^\[|\]$/g, "");
  const allowed = allowedHosts.some((one) => one.toLowerCase() === host || one.toLowerCase() === name);
  const ours = loopback
    ? isLoopback(address) &&
      // To a socket leads whatever port somebody's end of a tunnel has.
      (port === undefined || (given ?? (tls ? 443 : 80)) === port)
    : name === "localhost" || isIP(address) !== 0;
  if (allowed || ours) return;
  throw new Problem(
    403,
    "host-not-allowed",
    `this server does not go by the name ${JSON.stringify(host.slice(0, 100))}`,
    howToAllow,
  );
}

function splitHost(host: string): { name: string; port: number | undefined } {
  const match = /^(\[[0-9a-f:.]+\]|[^:,\s]+)(?::(\d{1,5}))?$/.exec(host);
  return { name: match?.[1] ?? "", port: match?.[2] === undefined ? undefined : Number(match[2]) };
}

/**
 * What changes something must come from our own pages or from no browser at all. Browsers say where a request comes from in
 * Sec-Fetch-Site (to trustworthy addresses only) or in Origin. A bearer token without a cookie is nothing that a foreign page has.
 */
function checkOrigin(request: Request): void {
  const { headers, method } = request;
  if (safeMethods.includes(method)) {
    checkReader(headers);
    return;
  }
  if (bearerOf(request) !== undefined && !headers.has("cookie")) return;
  const site = headers.get("sec-fetch-site");
  if (site !== null) {
    if (site === "same-origin" || site === "none") return;
    throw foreign(`the browser says that a ${site} page asked for it (Sec-Fetch-Site)`);
  }
  const origin = headers.get("origin");
  if (origin === null || hostOf(origin) === headers.get("host")?.toLowerCase()) return;
  throw foreign(`it comes from ${JSON.stringify(origin.slice(0, 100))} (Origin)`);
}

/** Another site's page may link here, but not load anything of ours into itself, or keep our streams busy. */
function checkReader(headers: Headers): void {
  const site = headers.get("sec-fetch-site");
  if (site === null || site === "same-origin" || site === "none") return;
  if (headers.get("sec-fetch-mode") === "navigate") return;
  throw foreign(`the browser says that a ${site} page asked for it (Sec-Fetch-Site)`);
}

function hostOf(origin: string): string | undefined {
  return /^https?:\/\/([^/]+)$/.exec(origin)?.[1]?.toLowerCase();
}

const foreign = (what: string) =>
  new Problem(
    403,
    "foreign-origin",
    `a page of another site may not do this: ${what}`,
    "use the dashboard's own pages, or the API with a token",
  );
