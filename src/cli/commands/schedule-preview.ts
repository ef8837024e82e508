// queuectl schedule preview: what a cron text means, before anything is run by it.

import { isoTime } from "../../domain/time.ts";
import { clockNote, type Occurrence } from "../../domain/wall-times.ts";
import { ownZone, zonedText, zoneOf } from "../../domain/zone.ts";
import { readCron } from "../../input/cron.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { jsonFlag, note, printJson, printTable } from "../output.ts";
import { zoneFlag } from "../schedule-options.ts";
import { wholeNumber } from "../values.ts";

export const commands: Commands = {
  "schedule preview": {
    usage: "schedule preview '<cron>' [options]",
    flags: [["--count <n>", "How many; 10 by default"], zoneFlag, jsonFlag],
    run: schedulePreview,
  },
};

async function schedulePreview(
  _context: Context,
  words: readonly string[],
  options: { readonly count?: string; readonly tz?: string; readonly json?: boolean },
): Promise<number> {
  const zone = zoneOf(options.tz ?? ownZone());
  const count = options.count === undefined ? 10 : wholeNumber("count", options.count, 1, 10_000);
  const occurrences = nextOccurrences(words[0]!, zone.name, { from: Date.now(), count });
  const times = occurrences.map((one, index) => ({
    at: isoTime(one.at),
    local: zonedText(zone, one.at),
    note: clockNote(zone, one, occurrences[index - 1]?.at),
  }));
  if (options.json) await printJson(times);
  else if (times.length === 0) note("this time never comes");
  else
    await printTable(
      ["DAY", zone.name.toUpperCase(), "UTC", "CLOCK"],
      times.map(({ at, local, note }) => [dayOf(local), local, at.replace(".000Z", "Z"), note ?? ""]),
    );
  return done;
}

function nextOccurrences(
  cron: string,
  tz: string,
  { from, count }: { readonly from: number; readonly count: number },
): Occurrence[] {
  const { occurrence } = readCron(cron, tz);
  const found: Occurrence[] = [];
  for (let next = occurrence(from); next !== null && found.length < count; next = occurrence(next.at)) {
    found.push(next);
  }
  return found;
}

const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

const dayOf = (local: string) => days[new Date(`${local.slice(0, 10)}T00:00:00Z`).getUTCDay()]!;
