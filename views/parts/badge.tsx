// A job's state, and how an attempt ended: an icon, a word and a colour, so that none of them has to be seen.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import type { Attempt } from "../../src/domain/attempt.ts";
import type { JobState } from "../../src/domain/job.ts";
import type { WorkerState } from "../../src/domain/worker.ts";

/** Drawn on a field of 16 by 16; `scheduled` is a pending job whose moment has not come, `held` one that waits for a user. */
const shapes = {
  pending: "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11zM8 5v3.2l2.2 1.4",
  scheduled: "M3 4h10v9.5H3zM3 7h10M6 2.2v3M10 2.2v3",
  held: "M5.5 3.5v9M10.5 3.5v9",
  processing: "M5 3.2l7.5 4.8L5 12.8z",
  completed: "M3 8.6l3.4 3.4L13 4.8",
  failed: "M12.6 6.2A5 5 0 1 0 13 9M13 3v3.4H9.6",
  dead: "M4 4l8 8M12 4l-8 8",
  cancelled: "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11zM4.2 11.8l7.6-7.6",
} as const;

export type Shape = keyof typeof shapes;

export function Icon({ shape }: { shape: Shape }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={shapes[shape]} />
    </svg>
  );
}

export const stateWord = (shape: Shape) => (shape === "failed" ? "retrying" : shape);

interface BadgeProps {
  readonly shape: Shape;
  readonly word: string;
  readonly title?: string | undefined;
}

export function Badge({ shape, word, title }: BadgeProps) {
  return (
    <span class={`state is-${shape}`} title={title}>
      <Icon shape={shape} />
      <span safe>{word}</span>
    </span>
  );
}

interface StateBadgeProps {
  readonly state: JobState;
  readonly scheduled?: boolean;
  readonly held?: boolean;
}

export function StateBadge({ state, scheduled = false, held = false }: StateBadgeProps) {
  const shape = held ? "held" : scheduled && state === "pending" ? "scheduled" : state;
  const title = shape === "failed" ? "failed, waiting for its next run" : undefined;
  return <Badge shape={shape} word={stateWord(shape)} title={title} />;
}

const workerShapes: Readonly<Record<WorkerState, Shape>> = {
  idle: "pending",
  busy: "processing",
  stopping: "cancelled",
  dead: "dead",
};

export const WorkerBadge = ({ state }: { state: WorkerState }) => (
  <Badge shape={workerShapes[state]} word={state} />
);

/** The look of an attempt by what became of it. */
export function attemptShape({ result, error }: Pick<Attempt, "result" | "error">): Shape {
  if (result === null) return "processing";
  if (result === "snoozed") return "scheduled";
  if (error === null) return "completed";
  if (result === "cancelled" || result === "released") return "cancelled";
  return result === "lost" || result === "rebooted" ? "failed" : "dead";
}
