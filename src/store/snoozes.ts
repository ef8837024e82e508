// When a command may have its job run again later, whichever store it is.

import { Refusal } from "../domain/errors.ts";
import type { Job } from "../domain/job.ts";
import { mostSnoozes } from "../domain/snooze.ts";
import { jobIsGone } from "./refusals.ts";

/** Refuses a command's word that it is to be run again, unless it is this attempt that runs, and was put off `times` in a row only. */
export function refuseSnooze(
  job: (Pick<Job, "id" | "state"> & { readonly attempt_number: number }) | null,
  attempt: number,
  times: number,
): void {
  if (!job) throw jobIsGone();
  if (job.state !== "processing" || job.attempt_number !== attempt) {
    throw new Refusal("wrong_state", `attempt ${attempt} of job ${job.id} does not run any more`);
  }
  if (times >= mostSnoozes) {
    throw new Refusal(
      "wrong_state",
      `job ${job.id} was put off ${times} times in a row, and may not be again`,
      "its exit status counts",
    );
  }
}
