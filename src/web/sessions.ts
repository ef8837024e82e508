// Browsers that showed a token: each holds an opaque cookie, of which only a digest is kept here. A session lives no longer than
// its token, twelve hours, or this process.

import type { Scope } from "../domain/scope.ts";
import { digestOf, type KnownToken, newSecret } from "./tokens.ts";

export const sessionSeconds = 12 * 3600;

/** How long a link with a login code works, and once. */
const codeMs = 10 * 60_000;

/** Failed logins that one address, and all together, may have. */
const perMinute = 10;
const perHour = 100;

export interface Session {
  /** A short name for the audit log. */
  readonly name: string;
  readonly scopes: ReadonlySet<Scope>;
}

export interface Sessions {
  /** Makes a session of a token and returns the cookie's value. */
  open(token: KnownToken): string;
  find(cookie: string, tokens: readonly KnownToken[]): Session | undefined;
  close(cookie: string): void;
  /** A code for a link that opens one session, once. */
  newCode(): string;
  /** Whether this was an unused code. */
  useCode(code: string): boolean;
  /** Seconds to wait before this address may try again; 0 when it may. */
  throttled(address: string): number;
  failed(address: string): void;
}

export function makeSessions(clock: () => number = Date.now): Sessions {
  const sessions = new Map<string, Session & { token: Buffer; until: number }>();
  const codes = new Map<string, number>();
  let failures: { address: string; at: number }[] = [];
  const key = (secret: string) => digestOf(secret).toString("hex");

  return {
    open(token) {
      const cookie = newSecret();
      for (const [other, { until }] of sessions) if (until < clock()) sessions.delete(other);
      sessions.set(key(cookie), {
        name: `session ${key(cookie).slice(0, 8)}`,
        scopes: token.scopes,
        token: token.digest,
        until: clock() + sessionSeconds * 1000,
      });
      return cookie;
    },
    find(cookie, tokens) {
      const session = sessions.get(key(cookie));
      const alive =
        session && session.until > clock() && tokens.some(({ digest }) => digest.equals(session.token));
      return alive ? session : undefined;
    },
    close(cookie) {
      sessions.delete(key(cookie));
    },
    newCode() {
      const code = newSecret();
      codes.set(key(code), clock() + codeMs);
      return code;
    },
    useCode(code) {
      const until = codes.get(key(code));
      codes.delete(key(code));
      return until !== undefined && until > clock();
    },
    throttled(address) {
      const now = clock();
      failures = failures.filter(({ at }) => at > now - 3_600_000);
      const recent = failures.filter((failure) => failure.address === address && failure.at > now - 60_000);
      if (recent.length >= perMinute) return Math.ceil((recent[0]!.at + 60_000 - now) / 1000);
      if (failures.length >= perHour) return Math.ceil((failures[0]!.at + 3_600_000 - now) / 1000);
      return 0;
    },
    failed(address) {
      failures.push({ address, at: clock() });
    },
  };
}
