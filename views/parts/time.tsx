// Moments and lengths of time. The text says the moment itself, so it does not change with every refresh; where scripts run,
// they turn it into "3 min ago" and keep that right.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { formatDuration } from "../../src/domain/duration.ts";
import { isoTime } from "../../src/domain/time.ts";

const pad = (value: number) => String(value).padStart(2, "0");

/** `22 Nov 15:04:05`, in the server's time zone. */
function shortTime(moment: number): string {
  const date = new Date(moment);
  const day = `${date.getDate()} ${date.toLocaleString("en", { month: "short" })}`;
  return `${day} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

interface MomentProps {
  readonly at: number | null;
  /** `ago` counts up from a moment or down to it; `age` says only the length; `clock` leaves the moment as it is. */
  readonly as?: "ago" | "age" | "clock";
}

export function Moment({ at, as = "ago" }: MomentProps) {
  if (at === null) return <span class="none">–</span>;
  return (
    <time datetime={isoTime(at)} data-as={as} safe>
      {shortTime(at)}
    </time>
  );
}

export function Duration({ seconds }: { seconds: number | null }) {
  if (seconds === null) return <span class="none">–</span>;
  return (
    <span class="number" safe>
      {formatDuration(seconds)}
    </span>
  );
}
