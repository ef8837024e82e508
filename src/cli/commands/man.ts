// queuectl man: its manual page.

import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { manual } from "../manual.ts";
import { writeOut } from "../output.ts";

export const commands: Commands = {
  man: { examples: ["queuectl man | man -l -"], run: man },
};

async function man({ environment }: Context): Promise<number> {
  // Who packs a release gives its own date (reproducible-builds.org/docs/source-date-epoch), so that it comes out the same each time.
  const epoch = environment.SOURCE_DATE_EPOCH;
  const date = epoch === undefined ? new Date() : new Date(Number(epoch) * 1000);
  await writeOut(await manual(date.toISOString().slice(0, 10)));
  return done;
}
