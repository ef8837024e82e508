// How far something long has come: one line on stderr that is written over, for people; nothing where stderr is no terminal.

import { writeSync } from "node:fs";
import { formatDuration } from "../domain/duration.ts";
import { isTerminal } from "./output.ts";

export interface Progress extends Disposable {
  /** Shows a text, unless the last one was shown a moment ago. */
  show(text: () => string): void;
  showNow(text: string): void;
  /** Takes the line away. */
  clear(): void;
}

/** As often as eyes can follow. */
const tickMs = 100;

export function progressLine(): Progress {
  const isSeen = isTerminal(2) && process.env.TERM !== "dumb";
  let shownAt = Number.NEGATIVE_INFINITY;
  let isShown = false;
  const showNow = (text: string) => {
    if (!isSeen) return;
    const columns = process.stderr.columns || 80;
    // Back to the line's beginning, the text, and what is left of the old one erased.
    write(`\r${Bun.sliceAnsi(text, 0, columns - 1)}\u001b[K`);
    shownAt = performance.now();
    isShown = true;
  };
  const clear = () => {
    if (isShown) write("\r\u001b[K");
    isShown = false;
  };
  const clearAndEnd = () => {
    stopListening();
    clear();
    process.kill(process.pid, "SIGINT");
  };
  const stopListening = () => void process.off("SIGINT", clearAndEnd);
  if (isSeen) process.on("SIGINT", clearAndEnd);
  return {
    show(text) {
      if (isSeen && performance.now() - shownAt >= tickMs) showNow(text());
    },
    showNow,
    clear,
    [Symbol.dispose]() {
      stopListening();
      clear();
    },
  };
}

function write(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // Nobody listens.
  }
}

const widestBar = 24;
const narrowestBar = 4;
/** Of the percentage and what is around it. */
const percentWidth = 10;

/** `████████░░░░░░░░░░░░░░░░  33 %  ` and what else there is to say, for which the bar makes room. `part` is 0 to 1. */
export function progressBar(part: number, about: string): string {
  const room = (process.stderr.columns || 80) - percentWidth - Bun.stringWidth(about);
  const barWidth = Math.max(narrowestBar, Math.min(widestBar, room));
  const full = Math.round(part * barWidth);
  const bar = "█".repeat(full) + "░".repeat(barWidth - full);
  return `${bar} ${String(Math.floor(part * 100)).padStart(3)} %  ${about}`;
}

export interface Meter {
  /** How many a second, lately, now that so many are done. */
  rate(done: number): number;
}

/** How far back a rate looks. */
const spanMs = 20_000;

export function makeMeter(): Meter {
  let samples: { readonly at: number; readonly done: number }[] = [{ at: performance.now(), done: 0 }];
  return {
    rate(done) {
      const now = performance.now();
      const first = samples[0]!;
      const rate = ((done - first.done) / Math.max(1, now - first.at)) * 1000;
      if (now - samples.at(-1)!.at >= spanMs / 20) {
        samples = [...samples.filter(({ at }) => now - at < spanMs), { at: now, done }];
      }
      return Math.max(0, rate);
    },
  };
}

/** `12 s left`; nothing while nobody can know. */
export const timeLeft = (left: number, rate: number) =>
  rate > 0 ? `${formatDuration(Math.ceil(left / rate))} left` : "";
