// What queuectl asks of a database about alerts, under the rules of store.ts; and their rows as domain types, for both stores.
// Whatever an alert is to tell of is written to the outbox in the transaction in which it happens, so that none of it is lost, and
// costs one row. Afterwards it becomes part of a message, and messages are delivered, by whichever process comes first.

import type { Alert, AlertEvent, Channel, Delivery, Happenings, NewAlert } from "../domain/alert.ts";
import { type Backlog, messageOf } from "../domain/alert-message.ts";
import { Refusal } from "../domain/errors.ts";
import { idFromBytes } from "../domain/id.ts";
import type { Job } from "../domain/job.ts";
import { type JobRow, legibleJob } from "./rows.ts";

export interface Alerts {
  /** Refused (`conflict`) when the name is taken. */
  add(alert: NewAlert): Promise<Alert>;

  /** All alerts, by name. */
  list(): Promise<readonly Alert[]>;

  /** The alert of this very name. Refused: `not_found`. */
  find(name: string): Promise<Alert>;

  /** Nothing that happens is told of until it is resumed, and its messages wait. Harmless twice. Refused: `not_found`. */
  pause(name: string): Promise<Alert>;

  /** Refused: `not_found`. */
  resume(name: string): Promise<Alert>;

  /** With all its messages. Refused: `not_found`. */
  remove(name: string): Promise<void>;

  /** Its newest messages, the newest first. */
  deliveries(name: string, limit: number): Promise<readonly Delivery[]>;

  /** Jobs that have been running since before a moment. */
  runningSince(moment: number): Promise<readonly Running[]>;

  /** How many jobs of a queue could run and wait, counted up to `limit`. */
  readyJobs(queue: string, limit: number): Promise<number>;

  /** The marks of what an alert was told stands, by whoever said so last. */
  marks(name: string): Promise<ReadonlySet<string>>;

  /**
   * Says of an alert what stands at the moment: queues above its line, runs that are slow. What did not stand before is told of, once
   * whoever says so first; what does not stand any more may be told of again later.
   */
  stand(name: string, standing: readonly Standing[]): Promise<void>;

  /**
   * Makes messages of what happened, as `planGathering` says, each thing in one message. Returns when more will be made of what is
   * left; null when nothing is, or when nobody can say. Of two who do it at once, one does.
   */
  gather(): Promise<number | null>;

  /**
   * Gives up to `limit` messages that are due, the longest due first, to be tried. Nobody else gets them for `triedForMs`, and then
   * they are due again unless `settle` said otherwise. Also when the next of the others is due. What was made or tried so much
   * after now, by a clock that was set back since, is due; less is the moment between somebody's look at the clock and at the messages.
   *
   * Given a share, no more than that of any one alert, and nothing is said of when those are due of which the caller tries as many already.
   */
  take(limit: number, share?: Share): Promise<Taken>;

  /** What came of a try. False, and nothing changes, when the message was given to somebody else since, or is no more. */
  settle(delivery: Delivery, outcome: TryOutcome): Promise<boolean>;
}

/** A job that runs, and its attempt's number. */
interface Running {
  readonly job: Job;
  readonly attempt: number;
}

/** Something that an alert tells of once for as long as it stands; the mark says what, so that it is known again. */
export interface Standing {
  readonly mark: string;
  readonly event: AlertEvent;
  readonly about: Job | Backlog;
}

/** How many messages of one alert somebody tries at a time, so that a receiver that does not answer leaves room for others. */
export interface Share {
  readonly ofOne: number;
  /** The alert of each message that is being tried already. */
  readonly underWay: readonly string[];
}

/** The same when these are tried as well. */
export const shareWith = ({ ofOne, underWay }: Share, taken: Taken["taken"]): Share => ({
  ofOne,
  underWay: [...underWay, ...taken.map(({ alert }) => alert.name)],
});

export const wholeShare: Share = { ofOne: Number.MAX_SAFE_INTEGER, underWay: [] };

export interface Taken {
  readonly taken: readonly TakenDelivery[];
  readonly next_at: number | null;
}

export interface TakenDelivery {
  /** The try that begins is counted. */
  readonly delivery: Delivery;
  readonly alert: NewAlert;
  /** Seconds since the message was made. */
  readonly age: number;
}

/** A try that was broken off here is not counted, and the message is due at once. */
export type TryOutcome =
  | { readonly kind: "sent"; readonly answer: string }
  | { readonly kind: "failed"; readonly answer: string; readonly retryInMs: number | null }
  | { readonly kind: "broken_off" };

/** How long a message is left to the process that tries it: longer than a try may take. */
export const triedForMs = 30_000;

/** Of each alert's messages that are done with, so many are kept to be looked at. */
export const keptDeliveries = 20;

/** What doctor asks of an alert that is not paused. */
export interface AlertCare {
  readonly name: string;
  readonly channel: Channel;
  /** Messages, and what is to become one, that are due and that nobody tries. */
  readonly overdue: number;
  readonly given_up: number;
}

/** A row of `alerts` with what is known of its messages. */
export interface AlertRow extends Omit<Alert, "events" | "paused" | "last"> {
  /** JSON. */
  readonly events: string;
  readonly paused: number | boolean;
}

export const alertFrom = (row: AlertRow, last: Delivery | null): Alert => ({
  ...newAlertFrom(row),
  paused: Boolean(row.paused),
  created_at: row.created_at,
  updated_at: row.updated_at,
  untold: row.untold,
  waiting: row.waiting,
  given_up: row.given_up,
  last,
});

export const newAlertFrom = (row: Omit<NewAlert, "events"> & { readonly events: string }): NewAlert => ({
  name: row.name,
  events: JSON.parse(row.events),
  queue: row.queue,
  tag: row.tag,
  longer_than: row.longer_than,
  more_than: row.more_than,
  older_than: row.older_than,
  gather: row.gather,
  channel: row.channel,
  target: row.target,
  secret: row.secret,
  cwd: row.cwd,
});

/** A row of the outbox: `about` is a job's row or a backlog, as JSON; it stands for `count` things. */
export interface OutboxRow {
  readonly id: string;
  readonly happened_at: number;
  readonly count: number;
  readonly about: string;
}

/** What waits in the outbox to be told by one alert, of one kind. */
export interface OutboxGroup extends Happenings {
  readonly alert: string;
  readonly event: AlertEvent;
  readonly gather: number;
}

export interface NewMessage {
  readonly id: string;
  readonly message: string;
}

const idBytes = 20;

export const newMessageId = () => `msg_${idFromBytes(crypto.getRandomValues(new Uint8Array(idBytes)))}`;

/** One message for so many things, the oldest of which are named. */
export function newMessage(
  { alert, event }: OutboxGroup,
  rows: readonly OutboxRow[],
  count: number,
): NewMessage {
  const told = {
    jobs: event === "backlog" ? [] : rows.flatMap(jobOf),
    queues: event === "backlog" ? rows.map(({ about }): Backlog => JSON.parse(about)) : [],
  };
  const at = Math.max(...rows.map(({ happened_at }) => happened_at));
  return {
    id: newMessageId(),
    message: JSON.stringify(messageOf({ alert, event, count, at, ...told })),
  };
}

/** A job that is damaged in the database is counted, and not named. */
function jobOf({ about }: OutboxRow): Job[] {
  try {
    return [legibleJob(JSON.parse(about) as JobRow)];
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [];
  }
}

/** The way the outbox has it: a job as its row. */
export function asRow(about: Job | Backlog): string {
  if (!("tags" in about)) return JSON.stringify(about);
  const [tags, env, rules] = [about.tags, about.env, about.rules].map((value) => JSON.stringify(value));
  return JSON.stringify({ ...about, tags, env, rules });
}

export const noSuchAlert = (name: string) =>
  new Refusal("not_found", `there is no alert ${JSON.stringify(name)}`, "queuectl alert list shows them");

export const alertTaken = (name: string) =>
  new Refusal(
    "conflict",
    `there already is an alert ${name}`,
    `choose another name, or remove that one: queuectl alert delete ${name}`,
  );
