// How long a failed job waits before its next run.

import { formatDuration, written } from "./duration.ts";
import { misuse } from "./errors.ts";
import { type Settings, settingRules } from "./settings.ts";

export type BackoffSettings = Pick<Settings, "backoff_base" | "backoff_max" | "backoff_jitter">;

export const backoffs = ["exponential", "linear", "fixed"] as const;

/** Before retry n, with the base b: b ^ n seconds, b × n seconds, or b seconds. */
export type Backoff = (typeof backoffs)[number];

/** What a job says itself of its delays; the settings say the rest. */
export interface BackoffRules {
  readonly backoff?: Backoff | undefined;
  /** Seconds where it is linear or fixed. */
  readonly backoff_base?: number | undefined;
  /** Seconds. */
  readonly backoff_max?: number | undefined;
}

export function checkBackoff({ backoff, backoff_base, backoff_max }: BackoffRules): void {
  if (backoff !== undefined && !backoffs.includes(backoff)) {
    throw misuse(`backoff cannot be ${JSON.stringify(backoff)}: it is ${backoffs.join(", ")}`);
  }
  if (backoff_max !== undefined) settingRules.backoff_max.check(backoff_max, written(backoff_max));
  if (backoff_base === undefined) return;
  if (backoff === "linear" || backoff === "fixed") checkSeconds(backoff_base);
  else checkPower(backoff_base);
}

const longestSeconds = 10 * 366 * 86_400;

function checkSeconds(base: number): void {
  if (Number.isFinite(base) && base >= 0 && base <= longestSeconds) return;
  throw misuse(`backoff_base cannot be ${written(base)}: it is 0 to ${formatDuration(longestSeconds)}`);
}

/** Who gives a long time as the base means a pause of that length. */
function checkPower(base: number): void {
  const { check, accepts } = settingRules.backoff_base;
  if (base > 1000) {
    throw misuse(
      `backoff_base cannot be ${written(base)}: where delays are exponential it is ${accepts}`,
      "a length of time takes the backoff fixed or linear",
    );
  }
  check(base);
}

/**
 * Seconds before retry `n` (1 for the first): what the kind of backoff makes of its base and n, at most `backoff_max`, plus
 * `backoff_jitter` × `dice`, where `dice` is a random number from 0 to 1.
 */
export function retryDelay(
  n: number,
  settings: BackoffSettings,
  dice: number,
  rules: BackoffRules = {},
): number {
  const base = rules.backoff_base ?? settings.backoff_base;
  const most = rules.backoff_max ?? settings.backoff_max;
  return Math.min(delayOf(rules.backoff ?? "exponential", base, n), most) + settings.backoff_jitter * dice;
}

function delayOf(backoff: Backoff, base: number, n: number): number {
  switch (backoff) {
    case "exponential":
      return base ** n;
    case "linear":
      return base * n;
    case "fixed":
      return base;
    default:
      return backoff satisfies never;
  }
}
