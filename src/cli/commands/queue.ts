// queuectl queue: the queues, which of them are paused, and how much may run of each.

import { formatDuration } from "../../domain/duration.ts";
import { misuse } from "../../domain/errors.ts";
import { checkQueue, jobStates } from "../../domain/job.ts";
import { queueJson } from "../../domain/json.ts";
import { formatRate, type Queue, type QueueLimits, readConcurrency, readRate } from "../../domain/queue.ts";
import { isoTime } from "../../domain/time.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { type Cell, type Fact, jsonFlag, note, printFacts, printJson, printTable } from "../output.ts";
import { findQueue, readQueues } from "../queues.ts";
import { unknownQueues } from "../unknown-queues.ts";

export const commands: Commands = {
  "queue list": { flags: [jsonFlag], run: queueList },
  "queue show": { flags: [jsonFlag], run: queueShow },
  "queue set": {
    usage: "queue set <queue> [--concurrency <n>|none] [--rate <starts/time>|none]",
    examples: ["queuectl queue set media --concurrency 2", "queuectl queue set api --rate 100/m"],
    flags: [
      [
        "--concurrency <n>",
        "How many of its jobs may run at once, on all machines together; none for any number",
      ],
      [
        "--rate <starts>",
        "How many may start in any time of a length, such as 100/m or 5/10s; none for any number",
      ],
      jsonFlag,
    ],
    run: queueSet,
  },
  "queue pause": {
    usage: "queue pause <queue…> | --all",
    flags: [["--all", "All queues that there are"]],
    run: queuePause,
  },
  "queue resume": {
    usage: "queue resume <queue…> | --all",
    flags: [["--all", "All that are paused"]],
    run: queueResume,
  },
};

interface Shown {
  readonly json?: boolean;
}

async function queueList(context: Context, _words: readonly string[], { json }: Shown): Promise<number> {
  await using store = await context.openStore();
  const queues = await readQueues(store);
  const now = await store.now();
  if (json) await printJson(queues.map(queueJson));
  else if (queues.length === 0) note("there is no queue yet; a queue is there as soon as a job names it");
  else
    await printTable(
      ["QUEUE", "STATE", "PENDING", "RETRYING", "RUNNING", "DEAD", "RATE", "OLDEST WAITS"],
      queues.map((queue) => [
        queue.queue,
        stateOf(queue),
        String(queue.pending),
        String(queue.failed),
        runningText(queue),
        String(queue.dead),
        queue.rate === null ? "" : formatRate(queue.rate),
        waitsText(queue, now),
      ]),
      ["RATE", "RETRYING", "OLDEST WAITS", "DEAD"],
    );
  return done;
}

async function queueShow(context: Context, [name]: readonly string[], { json }: Shown): Promise<number> {
  checkQueue(name!);
  await using store = await context.openStore();
  const queue = await findQueue(store, name!);
  if (json) await printJson(queueJson(queue));
  else await printFacts(facts(queue, await store.now()));
  for (const word of await unknownQueues(store, [name!])) note(word);
  return done;
}

interface LimitOptions extends Shown {
  readonly concurrency?: string;
  readonly rate?: string;
}

async function queueSet(context: Context, [name]: readonly string[], options: LimitOptions): Promise<number> {
  checkQueue(name!);
  const limits = readLimits(options);
  await using store = await context.openStore();
  const unknown = await unknownQueues(store, [name!]);
  await store.queues.limit(name!, limits);
  const queue = await findQueue(store, name!);
  if (options.json) await printJson(queueJson(queue));
  else note(`queue ${name}: ${limitsText(queue)}`);
  for (const word of unknown) note(word);
  return done;
}

function readLimits({ concurrency, rate }: LimitOptions): Partial<QueueLimits> {
  if (concurrency === undefined && rate === undefined)
    throw misuse("set what? Say --concurrency, --rate or both");
  return {
    ...(concurrency !== undefined && { concurrency: readConcurrency(concurrency) }),
    ...(rate !== undefined && { rate: readRate(rate) }),
  };
}

interface Which {
  readonly all?: boolean;
}

async function queuePause(context: Context, words: readonly string[], options: Which): Promise<number> {
  checkWhich(words, options);
  await using store = await context.openStore();
  const known = (await readQueues(store)).map(({ queue }) => queue);
  const names = options.all ? known : [...new Set(words)];
  if (names.length === 0) note("there is no queue yet");
  await store.queues.pause(names);
  for (const name of names)
    note(`queue ${name} is paused${known.includes(name) ? "" : "; no job has named it yet"}`);
  return done;
}

async function queueResume(context: Context, words: readonly string[], options: Which): Promise<number> {
  checkWhich(words, options);
  await using store = await context.openStore();
  const paused = (await store.queues.rules()).flatMap((one) => (one.paused_at === null ? [] : [one.queue]));
  const names = options.all ? paused : [...new Set(words)];
  if (names.length === 0) note("no queue is paused");
  await store.queues.resume(names);
  for (const name of names) note(`queue ${name} ${paused.includes(name) ? "goes on" : "was not paused"}`);
  return done;
}

function checkWhich(words: readonly string[], { all }: Which): void {
  if (words.length > 0 && all) throw misuse("either queues by their names, or --all, not both");
  if (words.length === 0 && !all) throw misuse("which queues? Say their names, or else --all");
  words.forEach(checkQueue);
}

const stateOf = ({ paused_at }: Queue): Cell =>
  paused_at === null ? "open" : { text: "paused", style: "yellow" };

const runningText = ({ processing, concurrency }: Queue) =>
  concurrency === null ? String(processing) : `${processing} of ${concurrency}`;

const waitsText = ({ oldest_waiting_at }: Queue, now: number) =>
  oldest_waiting_at === null ? "" : formatDuration(Math.max(0, Math.floor((now - oldest_waiting_at) / 1000)));

const limitsText = ({ concurrency, rate }: Queue) =>
  [
    concurrency === null ? "any number of jobs at once" : `at most ${concurrency} at once`,
    ...(rate === null ? [] : [`${formatRate(rate)} may start`]),
  ].join(", ");

function facts(queue: Queue, now: number): Fact[] {
  return [
    ["queue", queue.queue],
    [
      "state",
      queue.paused_at === null
        ? "open"
        : { text: `paused since ${isoTime(queue.paused_at)}`, style: "yellow" },
    ],
    ["limits", limitsText(queue)],
    ...jobStates.map((state): Fact => [state, String(queue[state])]),
    ["oldest waits", waitsText(queue, now) || null],
  ];
}
