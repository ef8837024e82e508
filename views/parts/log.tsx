// What an attempt printed, line by line, and the way it goes on growing while the attempt runs.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import type { Attempt, Gap } from "../../src/domain/attempt.ts";
import { resultWords } from "../../src/domain/exit-words.ts";
import type { Job } from "../../src/domain/job.ts";
import { type Stream, streamsOf } from "../../src/domain/rules.ts";
import { formatSize } from "../../src/domain/size.ts";
import type { Line, Run, Style } from "../../src/domain/terminal-text.ts";
import { FindForm, FoundLines, type LogAddress, type LogSearch } from "./log-search.tsx";
import { link, type Ui } from "./ui.ts";

/** A window on a log: whole lines between two places in bytes. */
export interface LogPart {
  readonly attempt: number;
  readonly stream: Stream;
  readonly lines: readonly Line[];
  /** The number of the first line. */
  readonly first: number;
  readonly from: number;
  readonly to: number;
  /** Where the log ends now. */
  readonly size: number;
  readonly isLive: boolean;
  /** What was left out; these lines lie before or behind it. */
  readonly gap: Gap | undefined;
  /** Whether the end is missing, nobody knows how much. */
  readonly isCut: boolean;
  /** Whether there was some, and somebody removed it. */
  readonly isGone: boolean;
  readonly search: LogSearch | undefined;
}

interface LogPanelProps {
  readonly ui: Ui;
  readonly job: Job;
  readonly attempts: readonly Attempt[];
  readonly log: LogPart | undefined;
}

export function LogPanel({ ui, job, attempts, log }: LogPanelProps) {
  if (log === undefined) {
    return (
      <section class="panel" id="log-none" aria-labelledby="log-title">
        <h2 id="log-title">Output</h2>
        <p class="hint">{job.state === "cancelled" ? "It never ran." : "Nothing yet: it has not run."}</p>
      </section>
    );
  }
  const { attempt, size, isLive } = log;
  const shown = { attempt, ...(log.stream === "stderr" && { stream: log.stream }) };
  const at: LogAddress = (parameters) => link(ui, `/jobs/${job.id}`, { ...shown, ...parameters });
  const raw = link(ui, `/jobs/${job.id}/log`, shown);
  return (
    <section
      class="panel log-panel"
      id={`log-${attempt}${log.stream === "stderr" ? "-stderr" : ""}`}
      aria-labelledby="log-title"
      hx-morph-skip="true"
      hx-nonce={ui.nonce}
    >
      <div class="panel-head">
        <h2 id="log-title">Output</h2>
        <AttemptPicker ui={ui} job={job} attempts={attempts} shown={attempt} />
        <StreamTabs ui={ui} job={job} log={log} />
        <span class="spring" />
        <FindForm ui={ui} path={`/jobs/${job.id}`} shown={shown} search={log.search} />
        {isLive ? (
          <span class="live" id="log-live">
            live
          </span>
        ) : (
          ""
        )}
        <span class="hint" safe>
          {sizeWords(log)}
        </span>
        <label class="check">
          <input type="checkbox" id="wrap" checked /> wrap
        </label>
        <a
          class="button"
          href={raw}
          download={`${job.id}-${attempt}${log.stream === "stderr" ? ".err" : ""}.log`}
        >
          Raw
        </a>
      </div>
      {log.search === undefined ? "" : <FoundLines at={at} search={log.search} />}
      {log.from > 0 ? (
        <p class="more-log">
          <a href={at({ to: log.from })}>Earlier</a> · <a href={at({ from: 0 })}>From the beginning</a>
        </p>
      ) : (
        ""
      )}
      <div
        class="log is-wrapped"
        id="log"
        role="log"
        aria-live="off"
        aria-label="Output"
        tabindex="0"
        {...liveStream(ui, job, log)}
      >
        <div id="log-lines" hx-ignore="true">
          {log.gap && log.from === log.gap.to ? <LeftOut gap={log.gap} /> : ""}
          <LogLines lines={log.lines} first={log.first} />
          {log.gap && log.to === log.gap.from && !isLive ? <LeftOut gap={log.gap} /> : ""}
        </div>
        <div class="tail" id="log-tail" hx-ignore="true" />
      </div>
      {size === 0 && !isLive ? (
        <p class="hint">{log.isGone ? "Its log is gone." : "It printed nothing."}</p>
      ) : (
        ""
      )}
      {log.to < size && !isLive ? (
        <p class="more-log">
          <a href={at({ from: log.to })}>Later</a> · <a href={at({})}>To the end</a>
        </p>
      ) : (
        ""
      )}
      <button type="button" class="button is-primary jump" id="jump" hidden>
        Jump to the newest
      </button>
    </section>
  );
}

function sizeWords({ size, gap, isCut }: LogPart): string {
  if (gap) return `${formatSize(size - gap.to + gap.from)} of ${formatSize(size)}`;
  return `${formatSize(size)}${isCut ? ", cut at the limit" : ""}`;
}

/** Stands where output was left out. */
export function LeftOut({ gap: { from, to } }: { gap: Gap }) {
  return (
    <p class="left-out" role="note" safe>
      {`${formatSize(to - from)} left out here: of more output than log_limit its beginning and its end are kept`}
    </p>
  );
}

function liveStream(ui: Ui, job: Job, { attempt, stream, to, first, lines, isLive }: LogPart) {
  if (!isLive) return {};
  return {
    "hx-sse:connect": link(ui, `/jobs/${job.id}/log/stream`, {
      attempt,
      stream: stream === "stderr" ? stream : undefined,
      from: to,
      line: first + lines.length,
    }),
    "hx-sse:close": "done",
    "hx-target": "#log-lines",
    "hx-swap": "beforeend",
    "hx-nonce": ui.nonce,
  };
}

/** Which of the two is shown, of a job that keeps them apart. */
function StreamTabs({ ui, job, log }: { ui: Ui; job: Job; log: LogPart }) {
  const apart = streamsOf(job.rules);
  if (apart.length < 2) return "";
  return (
    <nav class="tabs" aria-label="Streams">
      {apart.map((stream) => (
        <a
          href={link(ui, `/jobs/${job.id}`, { attempt: log.attempt, stream })}
          aria-current={stream === log.stream ? "true" : undefined}
          id={`stream-${stream}`}
        >
          {stream}
        </a>
      ))}
    </nav>
  );
}

function AttemptPicker({ ui, job, attempts, shown }: Omit<LogPanelProps, "log"> & { shown: number }) {
  if (attempts.length < 2) return "";
  return (
    <form method="get" action={link(ui, `/jobs/${job.id}`)} class="act" id="attempt-picker">
      <label>
        <span class="unseen">Attempt</span>
        <select name="attempt" autocomplete="off">
          {attempts.toReversed().map((attempt) => (
            <option value={String(attempt.number)} selected={attempt.number === shown} safe>
              {`attempt ${attempt.number}: ${resultWords(attempt)}`}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" class="button">
        Show
      </button>
    </form>
  );
}

/** A line beyond this many characters is cut for showing; the raw log has it whole. */
const longestLine = 10_000;

export function LogLines({ lines, first }: { lines: readonly Line[]; first: number }) {
  return (
    <>
      {lines.map((line, index) => (
        <LogLine line={line} number={first + index} />
      ))}
    </>
  );
}

function LogLine({ line, number }: { line: Line; number: number }) {
  return (
    <div class="line" id={`L${number}`}>
      <a class="n" href={`#L${number}`} tabindex="-1">
        {number}
      </a>
      <span class="t">
        {shortened(line).map((run) => (
          <LogRun run={run} />
        ))}
      </span>
    </div>
  );
}

function LogRun({ run }: { run: Run }) {
  const classes = classesOf(run);
  return classes === "" ? (
    <span safe>{run.text}</span>
  ) : (
    <span class={classes} safe>
      {run.text}
    </span>
  );
}

function classesOf({ style, isMark }: Run): string {
  const { bold, dim, italic, underline, inverse, strike } = style;
  const [letters, ground] = coloursOf(style);
  const names = [
    isMark && "unseen-character",
    letters !== undefined && `f${letters}`,
    ground !== undefined && `b${ground}`,
    bold && "bold",
    dim && "dim",
    italic && "italic",
    underline && "underline",
    inverse && letters === undefined && ground === undefined && "inverse",
    strike && "strike",
  ];
  return names.filter(Boolean).join(" ");
}

const greys = [0, 7, 8, 15];

/** Grounds are light tints on light pages and dark on dark ones, so black and white letters on them are those of the page. */
function coloursOf({ foreground, background, inverse }: Style): [number | undefined, number | undefined] {
  const [letters, ground] = inverse ? [background, foreground] : [foreground, background];
  return ground !== undefined && greys.includes(letters ?? 0) ? [undefined, ground] : [letters, ground];
}

function shortened(line: Line): Line {
  let left = longestLine;
  const kept: Run[] = [];
  for (const run of line) {
    if (left <= 0) break;
    kept.push(
      run.text.length <= left
        ? run
        : { ...run, text: `${run.text.slice(0, left)} … (cut; the raw log has it all)` },
    );
    left -= run.text.length;
  }
  return kept;
}
