// What becomes of a job when one of its attempts has ended.

import { type Ending, isCharged } from "./attempt.ts";
import { type BackoffSettings, retryDelay } from "./backoff.ts";
import { type ExitRules, isSuccess, whyNoRetry } from "./exit-rules.ts";
import type { Job, JobState } from "./job.ts";
import type { Settings } from "./settings.ts";
import { after } from "./time.ts";

export type OutcomeSettings = BackoffSettings & Pick<Settings, "max_lost">;

/** What the outcome depends on of a job. */
export type RunJob = Pick<
  Job,
  "attempts" | "max_retries" | "rules" | "last_error" | "last_exit_code" | "last_duration"
> & {
  /** How often it was lost in a row with its worker. */
  readonly lost_in_row: number;
  /** For how many milliseconds its command asked to be put off; null when it did not. */
  readonly snooze: number | null;
  /** Whether a user asked for its end while it ran. */
  readonly cancel_requested: boolean;
};

export interface Outcome {
  readonly state: Exclude<JobState, "processing">;
  readonly attempts: number;
  readonly lost_in_row: number;
  /** Null unless the job waits again. */
  readonly next_run_at: number | null;
  readonly last_exit_code: number | null;
  readonly last_error: string | null;
  readonly last_duration: number | null;
}

/**
 * The job's next state. `now` is the moment of settling, `dice` a random number from 0 to 1 for the jitter. The job's own rules say
 * which exit statuses are success, and which are worth a retry. A lost attempt is not charged, but the job waits as long as it last
 * had to; `max_lost` of them in a row by the death of a worker make it dead, so that a command which kills its worker does not go
 * round for ever. A job whose end was asked for is cancelled however its run ended, unless it finished first.
 */
export function outcomeOf(
  job: RunJob,
  ending: Ending,
  settings: OutcomeSettings,
  now: number,
  dice: number,
): Outcome {
  const { attempts, rules } = job;
  const last = {
    last_exit_code: ending.exit_code,
    last_error: ending.error,
    last_duration: ending.duration,
  };
  const settled = { attempts, lost_in_row: 0, next_run_at: null, ...last };
  const retryAt = (n: number) => after(now, retryDelay(n, settings, dice, rules));
  const again = (lost_in_row: number) =>
    attempts === 0
      ? ({ state: "pending", lost_in_row, next_run_at: now } as const)
      : ({ state: "failed", lost_in_row, next_run_at: retryAt(attempts) } as const);

  const succeeded = isSuccess(rules, ending);
  if (job.cancel_requested && !succeeded) return { ...settled, state: "cancelled" };

  switch (ending.result) {
    case "cancelled":
      return { ...settled, state: "cancelled" };
    case "released":
      return {
        state: "pending",
        attempts,
        lost_in_row: job.lost_in_row,
        next_run_at: now,
        last_exit_code: job.last_exit_code,
        last_error: job.last_error,
        last_duration: job.last_duration,
      };
    case "snoozed":
      return { ...settled, state: "pending", next_run_at: now + (job.snooze ?? 0) };
    case "lost": {
      const lost_in_row = job.lost_in_row + 1;
      if (settings.max_lost > 0 && lost_in_row >= settings.max_lost) {
        const last_error = `poison pill: its worker died ${lost_in_row} times in a row while running it`;
        return { ...settled, state: "dead", lost_in_row, last_error };
      }
      return { ...settled, ...again(lost_in_row) };
    }
    case "rebooted":
      return { ...settled, ...again(job.lost_in_row) };
    case "exited":
    case "signalled":
    case "timed_out":
    case "not_started": {
      if (succeeded) return { ...settled, state: "completed", attempts: attempts + 1 };
      const used = attempts + 1;
      const why = whyNoRetry(rules, ending.exit_code);
      if (why !== undefined)
        return { ...settled, state: "dead", attempts: used, last_error: `${ending.error}: ${why}` };
      if (used > job.max_retries) return { ...settled, state: "dead", attempts: used };
      return { ...settled, state: "failed", attempts: used, next_run_at: retryAt(used) };
    }
    default:
      return ending.result satisfies never;
  }
}

/** Whether an ending counts among the failed runs of the statistics. */
export const isFailedRun = (rules: ExitRules, ending: Ending) =>
  isCharged(ending.result) && !isSuccess(rules, ending);
