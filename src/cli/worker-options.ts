// The options that say which workers there are to be: those that start here, and those of a service.

import { wholeNumber } from "./values.ts";
import type { Flag } from "./words.ts";

export const countFlag: Flag = ["--count <n>", "How many jobs to run at once; 1 by default"];

export const servedFlag: Flag = ["--queue <name>", "Serve only this queue; may be repeated", "repeatable"];

/** More jobs at once than any machine starts processes for. */
const mostWorkers = 1000;

export const workerCount = (text: string | undefined): number =>
  text === undefined ? 1 : wholeNumber("count", text, 1, mostWorkers);
