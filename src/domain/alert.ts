// An alert: of what somebody wants to be told, and by which way. Moments are milliseconds since 1970, durations are seconds. The
// address it goes to is a secret as a rule: whoever knows it may write there, so it is shown in part only.

import { formatDuration, written } from "./duration.ts";
import { misuse, shown } from "./errors.ts";
import { idRule, isId } from "./id.ts";
import { checkQueue, checkTags } from "./job.ts";
import { oneOf } from "./one-of.ts";
import { checkCwd } from "./plain-job.ts";

export const alertEvents = ["dead", "completed", "slow", "backlog"] as const;

/**
 * - `dead`, `completed`: a job came to this state by a run
 * - `slow`: an attempt has been running for longer than `longer_than`; told once for each
 * - `backlog`: in a queue more than `more_than` jobs could run and wait, or one has waited for longer than `older_than`; told once,
 *   and again only after it was over
 */
export type AlertEvent = (typeof alertEvents)[number];

export const channels = ["webhook", "slack", "email", "command"] as const;

export type Channel = (typeof channels)[number];

export interface NewAlert {
  readonly name: string;
  readonly events: readonly AlertEvent[];
  /** Null for every queue. */
  readonly queue: string | null;
  /** Only of jobs with this tag; null for all. */
  readonly tag: string | null;
  readonly longer_than: number | null;
  readonly more_than: number | null;
  readonly older_than: number | null;
  /** What happens within so long of a message waits, and becomes one message; 0: each is a message of its own. */
  readonly gather: number;
  readonly channel: Channel;
  /** A URL, addresses with commas between, or a command. */
  readonly target: string;
  /** What a webhook's messages are signed by, as `whsec_…`; null for other channels. */
  readonly secret: string | null;
  /** Where a command runs; null for other channels. */
  readonly cwd: string | null;
}

export interface Alert extends NewAlert {
  readonly paused: boolean;
  readonly created_at: number;
  readonly updated_at: number;
  /** Things that are in no message yet. */
  readonly untold: number;
  /** Messages that were not delivered yet. */
  readonly waiting: number;
  /** Of the last messages, how many were given up. */
  readonly given_up: number;
  /** The message that was tried last; null when none was. */
  readonly last: Delivery | null;
}

/** A message on its way: it is tried until it is accepted, or given up after a day. */
export interface Delivery {
  /** The same at every try, so that a receiver can tell a message that comes twice. */
  readonly id: string;
  readonly alert: string;
  readonly event: AlertEvent;
  /** The message, as JSON. */
  readonly message: string;
  readonly state: "waiting" | "sent" | "given_up";
  readonly created_at: number;
  /** When it is tried next; null when it is not. */
  readonly due_at: number | null;
  readonly tries: number;
  readonly tried_at: number | null;
  /** What came back from the last try. */
  readonly answer: string | null;
}

/** Seconds; what `gather` is unless somebody says otherwise. */
export const defaultGather = 60;

const day = 86_400;
const mostAddresses = 20;
const longestTarget = 10_000;

/** On the dashboard an alert's page has the address `/alerts/<name>`, and the form for a new one this name in it. */
const formName = "new";

/** A complete alert; refuses what breaks a rule, without repeating what may be a secret. */
export function checkAlert(alert: NewAlert): NewAlert {
  if (!isId(alert.name)) throw misuse(`${shown(alert.name)} is not a name of an alert: ${idRule}`);
  if (alert.name === formName)
    throw misuse(`${formName} is not a name of an alert: its page is the form for a new one`);
  if (alert.events.length === 0)
    throw misuse(
      "it does not say what to tell of",
      `on is ${alertEvents.slice(0, -1).join(", ")} or ${alertEvents.at(-1)}`,
    );
  if (alert.queue !== null) checkQueue(alert.queue);
  if (alert.tag !== null) checkTags([alert.tag]);
  checkLines(alert);
  if (!(alert.gather >= 0 && alert.gather <= day))
    throw misuse(`gather cannot be ${written(alert.gather)}: it is 0 to ${formatDuration(day)}`);
  checkTarget(alert);
  if (alert.secret !== null && signingKey(alert.secret) === undefined) {
    throw misuse(
      "the secret is not 24 to 64 bytes in base64, with or without whsec_ in front",
      "make one by: openssl rand -base64 32; or leave it out and get one",
    );
  }
  return alert;
}

/** What must be said of slow jobs and of queues, and of nothing else. */
function checkLines({ events, tag, longer_than, more_than, older_than }: NewAlert): void {
  const isSlow = events.includes("slow");
  const isBacklog = events.includes("backlog");
  if (isSlow !== (longer_than !== null))
    throw misuse(
      isSlow
        ? "slow needs longer_than: from when on a run is slow"
        : "longer_than says when a run is slow, and slow is not told of",
    );
  if (isBacklog && more_than === null && older_than === null)
    throw misuse("backlog needs more_than (jobs that wait) or older_than (how long one has waited)");
  if (!isBacklog && (more_than !== null || older_than !== null))
    throw misuse("more_than and older_than say when a queue backs up, and backlog is not told of");
  if (isBacklog && tag !== null)
    throw misuse("a queue backs up whatever tags its jobs have", "leave the tag out, or make two alerts");
  for (const [name, value] of Object.entries({ longer_than, older_than })) {
    if (value !== null && !(value > 0 && value <= 3660 * day))
      throw misuse(`${name} cannot be ${written(value)}: it is more than 0 and at most ten years`);
  }
  if (more_than !== null && !(Number.isInteger(more_than) && more_than >= 0 && more_than <= 1e9))
    throw misuse(`more_than cannot be ${more_than}: it is a whole number from 0 to 1000000000`);
}

function checkTarget({ channel, target, cwd }: NewAlert): void {
  if (target.length > longestTarget) throw misuse(`where it goes is longer than ${longestTarget} characters`);
  if (!target.isWellFormed()) throw misuse("where it goes contains half a character (a lone surrogate)");
  switch (channel) {
    case "webhook":
    case "slack":
      // Whoever adds an alert may enqueue, and so run any command here: to keep them from an address would protect nothing.
      if (httpUrl(target) === undefined || /[\p{Cc}\p{Cs}]/u.test(target))
        throw misuse(`what ${channel} needs is a URL that begins with https:// or http://`);
      return;
    case "email": {
      const addresses = addressesIn(target);
      if (addresses.length === 0 || addresses.length > mostAddresses)
        throw misuse(`an e-mail goes to 1 to ${mostAddresses} addresses, not ${addresses.length}`);
      const wrong = addresses.find((one) => !/^[^\s@<>"(),;:\p{Cc}]+@[^\s@<>"(),;:\p{Cc}]+$/u.test(one));
      if (wrong !== undefined) throw misuse(`${shown(wrong)} is not an e-mail address`);
      return;
    }
    case "command":
      if (target.trim() === "") throw misuse("the command is empty");
      if (target.includes("\0"))
        throw misuse("the command contains a NUL byte, which no process can be given");
      checkCwd(cwd ?? "");
      return;
    default:
      channel satisfies never;
  }
}

export const addressesIn = (target: string): string[] =>
  target
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");

function httpUrl(text: string): URL | undefined {
  const url = URL.parse(text);
  return url && /^https?:$/.test(url.protocol) && url.hostname !== "" ? url : undefined;
}

/** Where it goes, for whoever may see: of a URL the host alone. */
export function shownTarget({ channel, target }: Pick<NewAlert, "channel" | "target">): string {
  if (channel === "email" || channel === "command") return target;
  return httpUrl(target)?.host ?? "an address that cannot be read";
}

/** The bytes that a secret stands for; undefined when it is none. */
export function signingKey(secret: string): Buffer | undefined {
  const text = secret.replace(/^whsec_/, "");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  const key = Buffer.from(text, "base64");
  return key.length >= 24 && key.length <= 64 ? key : undefined;
}

const secretBytes = 32;

/** A secret for a webhook that was given none. */
export const newSecret = () =>
  `whsec_${Buffer.from(crypto.getRandomValues(new Uint8Array(secretBytes))).toString("base64")}`;

/** The events that words name, each once. */
export const readEvents = (words: readonly string[]): AlertEvent[] => [
  ...new Set(words.map((word) => oneOf("on", word, alertEvents))),
];

/** What an alert tells of, in a few words. */
export function lineOf({ events, queue, tag, longer_than, more_than, older_than }: NewAlert): string {
  const lines = [
    ...(more_than === null ? [] : [`more than ${more_than}`]),
    ...(older_than === null ? [] : [`older than ${formatDuration(older_than)}`]),
  ];
  const words = events.map((event) => {
    if (event === "slow") return `slow (longer than ${formatDuration(longer_than ?? 0)})`;
    return event === "backlog" ? `backlog (${lines.join(" or ")})` : event;
  });
  const whose = [
    ...(queue === null ? [] : [`in queue ${queue}`]),
    ...(tag === null ? [] : [`tagged ${tag}`]),
  ];
  return [words.join(", "), ...whose].join(" ");
}

/** How an alert fares, in two words at most; what needs somebody's eye comes first. */
export function fareOf({
  paused,
  untold,
  waiting,
  given_up,
}: Pick<Alert, "paused" | "untold" | "waiting" | "given_up">): {
  readonly kind: "paused" | "given_up" | "waiting" | "gathering" | "fine";
  readonly words: string;
} {
  if (paused) return { kind: "paused", words: "paused" };
  if (given_up > 0) return { kind: "given_up", words: `${given_up} given up` };
  if (waiting > 0) return { kind: "waiting", words: `${waiting} waiting` };
  if (untold > 0) return { kind: "gathering", words: `gathering ${untold}` };
  return { kind: "fine", words: "fine" };
}

/** What a job has that an alert may choose by. */
interface Described {
  readonly queue: string;
  readonly tags: readonly string[];
}

/** Whether an alert wants to know that this happened to a job. */
export const concerns = (
  { events, queue, tag }: Pick<NewAlert, "events" | "queue" | "tag">,
  event: AlertEvent,
  job: Described,
) =>
  events.includes(event) &&
  (queue === null || queue === job.queue) &&
  (tag === null || job.tags.includes(tag));

const firstRetrySeconds = 5;
const longestRetrySeconds = 4 * 3600;
const giveUpSeconds = day;

/**
 * Seconds until the next try of a message after so many: 5, 15, 45 and so on up to four hours, with up to a fifth more by `dice` (0
 * to 1), so that many do not come at once to a receiver that is back. Null when the message is a day old (`age`, seconds).
 */
export function redeliveryDelay(tries: number, age: number, dice: number): number | null {
  if (age >= giveUpSeconds) return null;
  return Math.min(firstRetrySeconds * 3 ** (tries - 1), longestRetrySeconds) * (1 + dice / 5);
}

/** Of many things that one message tells of, so many are named. */
export const namedThings = 5;

/** Messages of one alert that may wait to be delivered. What happens while so many do becomes one message. */
export const mostWaiting = 100;

/** What has happened that an alert is to tell of, and what its messages did. */
export interface Happenings {
  /** Rows of the outbox, and for how many things they stand. */
  readonly rows: number;
  readonly count: number;
  /** When the last message of the same kind was made. */
  readonly last_at: number | null;
  readonly waiting: number;
}

/** What becomes of them now: a message for each, one for all, or nothing before a moment (null: when others are delivered). */
export type Gathering =
  | { readonly kind: "each" }
  | { readonly kind: "one" }
  | { readonly kind: "later"; readonly at: number | null };

/** The first is told at once. What follows within `gather` waits for its end, and becomes one message. */
export function planGathering(
  { gather }: Pick<NewAlert, "gather">,
  { rows, count, last_at, waiting }: Happenings,
  now: number,
): Gathering {
  if (waiting >= mostWaiting) return { kind: "later", at: null };
  if (gather === 0) return { kind: rows === count && rows <= mostWaiting - waiting ? "each" : "one" };
  // A message from after now was made before the clock was set back.
  const at = last_at === null || last_at > now ? now : last_at + gather * 1000;
  return at > now ? { kind: "later", at } : { kind: "one" };
}
