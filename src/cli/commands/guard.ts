// queuectl guard: called by the guardian of a worker, never by people.

import { guard, guardStatus } from "../../worker/guard.ts";
import type { Context } from "../context.ts";

/** `words`: the worker's lease file. */
export const guardCommands = async (_context: Context, [leasePath]: readonly string[]): Promise<number> =>
  guardStatus[await guard(leasePath!)];
