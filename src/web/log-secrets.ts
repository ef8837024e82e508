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
      for (const secret of secrets) starOut(bytes, secret);
      if (start + bytes.length === gap?.from) bytes.fill(star, bytes.length - begunIn(bytes));
      if (start === gap?.to || start > wanted) bytes.fill(star, 0, endedIn(bytes));
      const first = Math.max(position, start);
      return { start: first, bytes: bytes.subarray(first - start, first - start + length) };
    },
    withoutBegun: (bytes) => bytes.subarray(0, bytes.length - begunIn(bytes)),
  };
}

function starOut(bytes: Buffer, secret: Buffer): void {
  for (let at = bytes.indexOf(secret); at >= 0; at = bytes.indexOf(secret, at + secret.length)) {
    bytes.fill(star, at, at + secret.length);
  }
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
