// Logs as the dashboard shows them: a secret of the job's environment that its command printed is starred out, byte for byte, so
// that all places in the log stay what they are.

import type { Job } from "../domain/job.ts";
import { secretTexts } from "../domain/secrets.ts";
import { knownSecrets } from "../runner/secret-env.ts";
import type { Log } from "../store/logs.ts";
import type { Web } from "./web.ts";

const star = "*".charCodeAt(0);

export interface ShownLog extends Log {
  /** The bytes without an end that may be the beginning of a secret, of which the rest is still to be written. */
  withoutBegun(bytes: Buffer): Buffer;
}

/**
 * A job's log without the secrets of its environment, and without those that are stored nowhere as far as they can be had here. Closed
 * with the log.
 */
export function withoutSecrets(
  log: Log,
  { env, rules }: Pick<Job, "env" | "rules">,
  web: Pick<Web, "environment">,
): ShownLog {
  const elsewhere = knownSecrets(rules.secret_env ?? [], web.environment);
  const secrets = secretTexts(env, elsewhere).map((text) => Buffer.from(text));
  const margin = Math.max(0, ...secrets.map(({ length }) => length - 1));
  const begunIn = (bytes: Buffer) => Math.max(0, ...secrets.map((secret) => begunLength(bytes, secret)));
  const endedIn = (bytes: Buffer) => Math.max(0, ...secrets.map((secret) => endedLength(bytes, secret)));
  return {
    ...log,
    async read(position, length) {
      if (secrets.length === 0) return log.read(position, length);
      // What begins before the place or ends behind it is starred out as well, and what is left of a secret where some was left out.
      const gap = await log.gap();
      const least = gap !== undefined && position >= gap.from ? gap.to : 0;
      const wanted = Math.max(least, position - margin);
      const { start, bytes } = await log.read(wanted, Math.max(least, position) - wanted + length + margin);
      const begun = start + bytes.length === gap?.from ? begunIn(bytes) : 0;
      const ended = start === gap?.to || start > wanted ? endedIn(bytes) : 0;
      starOut(bytes, [
        ...secrets.flatMap((secret) => placesOf(bytes, secret)),
        { from: bytes.length - begun, to: bytes.length },
        { from: 0, to: ended },
      ]);
      const first = Math.max(position, start);
      return { start: first, bytes: bytes.subarray(first - start, first - start + length) };
    },
    withoutBegun: (bytes) => bytes.subarray(0, bytes.length - begunIn(bytes)),
  };
}

interface Place {
  readonly from: number;
  to: number;
}

/** Where a text stands, places that overlap taken together. */
function placesOf(bytes: Buffer, text: Buffer): Place[] {
  const places: Place[] = [];
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) {
    const last = places.at(-1);
    if (last && at <= last.to) last.to = at + text.length;
    else places.push({ from: at, to: at + text.length });
  }
  return places;
}

/** All places at once: of two that overlap neither would be found again where the other is starred out. */
function starOut(bytes: Buffer, places: readonly Place[]): void {
  for (const { from, to } of places) bytes.fill(star, from, to);
}

/** How many bytes at the beginning are the end of a secret. */
function endedLength(bytes: Buffer, secret: Buffer): number {
  for (let length = Math.min(secret.length - 1, bytes.length); length > 0; length--) {
    if (bytes.subarray(0, length).equals(secret.subarray(secret.length - length))) return length;
  }
  return 0;
}

/** How many bytes at the end are the beginning of a secret. */
function begunLength(bytes: Buffer, secret: Buffer): number {
  for (let length = Math.min(secret.length - 1, bytes.length); length > 0; length--) {
    if (bytes.subarray(bytes.length - length).equals(secret.subarray(0, length))) return length;
  }
  return 0;
}
