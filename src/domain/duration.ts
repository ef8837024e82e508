// Lengths of time as people type and read them. Everything is in seconds.

const unitSeconds: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

const part = /(\d+(?:\.\d+)?)(ms|[smhdw])/y;

/** Seconds in `90`, `90s`, `1.5h`, `1h30m` or `2d`; undefined when the text is no such thing. */
export function parseDuration(text: string): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return finite(Number(text));
  let seconds = 0;
  part.lastIndex = 0;
  while (part.lastIndex < text.length) {
    const match = part.exec(text);
    if (!match) return undefined;
    seconds += Number(match[1]) * unitSeconds[match[2]!]!;
  }
  return text === "" ? undefined : finite(roundToMs(seconds));
}

/** How a duration may be typed, for messages. */
export const durationForms = "seconds, or a duration such as 90s, 10m or 1h30m";

/** `3 ms`, `0.42 s`, `12 s`, `1m 30s`, `2h 5m`, `3d 4h`: at most two units, never a false zero. */
export function formatDuration(seconds: number): string {
  if (seconds < 0) return `-${formatDuration(-seconds)}`;
  if (seconds > 0 && seconds < 0.001) return `${Number((seconds * 1000).toPrecision(3))} ms`;
  if (seconds > 0 && seconds < 0.1) return `${trimNumber(seconds * 1000, 0)} ms`;
  if (seconds < 59.95) return `${trimNumber(seconds, seconds < 10 ? 2 : 1)} s`;
  const whole = Math.round(seconds);
  const steps: [number, string][] = [
    [Math.floor(whole / 86_400), "d"],
    [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "m"],
    [whole % 60, "s"],
  ];
  const first = steps.findIndex(([count]) => count > 0);
  return steps
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join(" ");
}

/** `1200 (20m)`, for messages: seconds are what a job holds, and not always what was typed. */
export const written = (seconds: number): string =>
  seconds >= 60 && Number.isFinite(seconds) ? `${seconds} (${formatDuration(seconds)})` : String(seconds);

const trimNumber = (value: number, digits: number) => String(Number(value.toFixed(digits)));
/** Sums of fractions come out even; what is shorter than that stays what it is, as 0 may mean none at all. */
const roundToMs = (seconds: number) => Math.round(seconds * 1000) / 1000 || seconds;
const finite = (value: number) => (Number.isFinite(value) ? value : undefined);

/** How long ago a moment was, in whole seconds; both are in milliseconds. A moment to come, by a clock that was set back, is now. */
export const formatElapsed = (moment: number, now: number) =>
  formatDuration(Math.max(0, Math.round((now - moment) / 1000)));
