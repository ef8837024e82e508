// queuectl guard: called by the guardian of a worker, never by people.

import { guard, guardStatus } from "../../worker/guard.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";

export const commands: Commands = {
  guard: { run: guardCommands },
};

/** `words`: the worker's lease file. */
async function guardCommands(_context: Context, [leasePath]: readonly string[]): Promise<number> {
  return guardStatus[await guard(leasePath!)];
}
