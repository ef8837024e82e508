// A PostgreSQL URL as the options of Bun's client, and as a text for people.

import { readFileSync } from "node:fs";
import { SQL } from "bun";
import { isSystemError, misuse, reasonOf } from "../../domain/errors.ts";

export interface Address {
  /** What messages call the database: no user, no password. */
  readonly shown: string;
  /** Options of `new SQL(…)` that say where, who and how. */
  readonly options: Bun.SQL.PostgresOrMySQLOptions;
}

export const isPostgresUrl = (text: string) => /^postgres(ql)?:\/\//i.test(text);

/** Refuses what is no PostgreSQL URL, or names certificates that cannot be read. `name` is what messages call the text. */
export function readAddress(text: string, name = "the database's URL"): Address {
  const url = isPostgresUrl(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (!url || url.hostname.includes(",") || ![url.username, url.password, url.pathname].every(isEscaped))
    throw misuse(
      `${name} cannot be read`,
      "write it as postgres://user:password@host:5432/database, with % and two digits for special characters",
    );
  checkTlsMode(url.searchParams.get("sslmode"), name);
  askTheSystem(url, name);
  const file = (parameter: string) => takeFile(url, parameter, name);
  const tls = { ca: file("sslrootcert"), cert: file("sslcert"), key: file("sslkey") };
  const host = url.searchParams.get("host");
  const socketFolder = host?.startsWith("/") ? host : undefined;
  if (socketFolder !== undefined) url.searchParams.delete("host");
  const mode = socketFolder === undefined ? sslModeOf(url, tls) : "disable";
  url.searchParams.set("sslmode", mode);
  const { hostname, port, database } = whereaboutsOf(url, name);
  return {
    shown: `PostgreSQL ${socketFolder ?? hostname}:${port}/${database}`,
    options: {
      adapter: "postgres",
      url,
      ...(socketFolder === undefined ? {} : { path: `${socketFolder}/.s.PGSQL.${port}` }),
      // Given any, the client asks for TLS, whatever the mode.
      ...(mode !== "disable" && Object.values(tls).some((part) => part !== undefined) ? { tls } : {}),
    },
  };
}

interface Whereabouts {
  readonly hostname: string;
  readonly port: number;
  readonly database: string;
}

/** What the client makes of it: words behind the ? come first, and PGHOST and its like are what the URL leaves out. */
function whereaboutsOf(url: URL, name: string): Whereabouts {
  try {
    return new SQL({ adapter: "postgres", url }).options as Whereabouts;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw misuse(
      `${name} cannot be used: ${error.message}`,
      "correct what stands behind the ? in it, or PGPORT",
    );
  }
}

function isEscaped(part: string): boolean {
  try {
    decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
}

const tlsModes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

function checkTlsMode(mode: string | null, name: string): void {
  if (mode === null || tlsModes.includes(mode)) return;
  throw misuse(`sslmode of ${name} cannot be ${JSON.stringify(mode)}`, `use one of ${tlsModes.join(", ")}`);
}

/** As libpq of PostgreSQL 16 means `sslrootcert=system`: the authorities that the system knows, and no less than all of the check. */
function askTheSystem({ searchParams }: URL, name: string): void {
  if (searchParams.get("sslrootcert") !== "system") return;
  const mode = searchParams.get("sslmode") ?? "verify-full";
  if (mode !== "verify-full")
    throw misuse(`sslmode of ${name} cannot be "${mode}" beside sslrootcert=system`, "use verify-full");
  searchParams.delete("sslrootcert");
  searchParams.set("sslmode", mode);
}

function takeFile(url: URL, parameter: string, name: string): string | undefined {
  const path = url.searchParams.get(parameter);
  if (path === null) return undefined;
  url.searchParams.delete(parameter);
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw misuse(`${parameter} of ${name} cannot be read: ${reasonOf(error)}`, `check ${path}`);
  }
}

/** As libpq means it: encrypted where the server can, and with a certificate authority given, `require` checks the server by it. */
function sslModeOf(url: URL, { ca }: { readonly ca: string | undefined }): string {
  const mode = url.searchParams.get("sslmode") ?? "prefer";
  return mode === "require" && ca !== undefined ? "verify-ca" : mode;
}
