// How long a failed job waits before its next run.

import type { Settings } from "./settings.ts";

export type BackoffSettings = Pick<Settings, "backoff_base" | "backoff_max" | "backoff_jitter">;

/**
 * Seconds before retry `n` (1 for the first): `backoff_base ^ n`, at most `backoff_max`, plus
 * `backoff_jitter` × `dice`, where `dice` is a random number from 0 to 1.
 */
export function retryDelay(n: number, settings: BackoffSettings, dice: number): number {
  return Math.min(settings.backoff_base ** n, settings.backoff_max) + settings.backoff_jitter * dice;
}
