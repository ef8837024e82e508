// queuectl doctor: what is wrong with the queue, and how to mend it.

import { diagnose } from "../../care/doctor.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done, notDone } from "../exit-status.ts";
import { type Cell, jsonFlag, printFacts, printJson } from "../output.ts";

export const commands: Commands = {
  doctor: { flags: [jsonFlag], run: doctor },
};

const styles = { ok: "green", warning: "yellow", broken: "red" } as const;

async function doctor(
  { place, environment }: Context,
  _words: readonly string[],
  options: { json?: boolean },
): Promise<number> {
  const findings = await diagnose(place, environment);
  const healthy = findings.every(({ level }) => level !== "broken");
  if (options.json) {
    await printJson({ healthy, findings });
  } else {
    await printFacts(
      findings.flatMap(({ about, level, text, mend }): [string, Cell][] => [
        [about, { text: `${level}: ${text}`, style: styles[level] }],
        ...(mend === undefined ? [] : ([["", `→ ${mend}`]] as [string, Cell][])),
      ]),
    );
  }
  return healthy ? done : notDone;
}
