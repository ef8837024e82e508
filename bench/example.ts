// A job like any other, and how its run ended.

import { exitWith, newJob } from "../test/support/sample-jobs.ts";

export const plainJob = newJob();

export const ended = exitWith(0);
