// What may stand where the cursor is, for a shell's completion: from the program's own table, and from the queue where it is asked.

import { existsSync } from "node:fs";
import { alertEvents } from "../domain/alert.ts";
import { backoffs } from "../domain/backoff.ts";
import { settingKeys } from "../domain/default-settings.ts";
import { isSettled, isWaiting, type JobState, jobStates, settledStates } from "../domain/job.ts";
import { scopes } from "../domain/scope.ts";
import { databasePath } from "../home.ts";
import type { Store } from "../store/store.ts";
import type { Context } from "./context.ts";
import { program, shown } from "./program.ts";
import type { Declared, Flag, Named } from "./words.ts";

/** A word, and what it means. */
export type Candidate = readonly [word: string, about: string];

/** The words that begin like the last one, or `files` where a path is wanted or nothing is known. */
export async function complete(
  context: Context,
  words: readonly string[],
): Promise<readonly Candidate[] | "files"> {
  const before = words.slice(0, -1);
  const prefix = words.at(-1) ?? "";
  if (before.includes("--")) return "files";
  const found = await candidates(context, before, prefix);
  return found === "files" ? found : found.filter(([word]) => word.startsWith(prefix));
}

async function candidates(context: Context, before: readonly string[], prefix: string) {
  const { command, group, plain, open } = await understood(before);
  const flags = [...(command?.flags ?? []), ...program.everywhere];
  const [flag, value] = /^(--[a-z-]+)=/.test(prefix) ? [prefix.split("=")[0]!, true] : [open, false];
  if (flag !== undefined) {
    const found = await valuesFor(
      context,
      kindOf(flags, flag),
      command,
      prefix.slice(value ? flag.length + 1 : 0),
    );
    if (found === "files") return found;
    return found.map(([word, about]): Candidate => [value ? `${flag}=${word}` : word, about]);
  }
  if (prefix.startsWith("-")) return flagsLeft(flags, before);
  const names = plain === 0 && (command === undefined || group !== undefined) ? namesBehind(group) : [];
  if (command === undefined) return names;
  const found = await valuesFor(context, positional(command, plain), command, prefix);
  if (found === "files") return names.length > 0 ? names : found;
  return [...names, ...found];
}

interface Understood {
  readonly command: Declared | undefined;
  /** The first word of a command of two. */
  readonly group: string | undefined;
  /** Plain words behind the command, or a word that is none. */
  readonly plain: number;
  /** The option whose value comes next. */
  readonly open: string | undefined;
}

/** Reads words that may be half a command, and refuses none. */
async function understood(words: readonly string[]): Promise<Understood> {
  let command: Declared | undefined;
  let group: string | undefined;
  let plain = 0;
  let open: string | undefined;
  for (const word of words) {
    const isValue = open !== undefined;
    open = undefined;
    if (isValue) continue;
    if (word.startsWith("-")) {
      const flags = [...(command?.flags ?? []), ...program.everywhere];
      if (!word.includes("=") && kindOf(flags, word) !== undefined) open = word;
    } else if (group !== undefined && plain === 0 && entryOf(`${group} ${word}`)) {
      command = await declared(`${group} ${word}`);
      group = undefined;
    } else if (command === undefined && group === undefined) {
      if (program.groups.has(word)) group = word;
      command = await declared(program.groups.get(word) ?? word);
      if (command === undefined && group === undefined) plain++;
    } else {
      plain++;
    }
  }
  return { command, group, plain, open };
}

const entryOf = (name: string) => program.commands.find((one) => one.name === name || one.alias === name);

/** A command with its options, which are in its file. */
async function declared(name: string): Promise<Declared | undefined> {
  const entry = entryOf(name);
  return entry && { ...entry, ...(await entry.load()) };
}

/** First words, or the second words behind one. */
function namesBehind(group: string | undefined): Candidate[] {
  if (group !== undefined) {
    return shown.flatMap(({ name, about }): Candidate[] =>
      name.startsWith(`${group} `) ? [[name.slice(group.length + 1), about]] : [],
    );
  }
  const names = new Map<string, string>();
  for (const { name, alias, about } of shown) {
    const first = name.split(" ")[0]!;
    if (!names.has(first)) names.set(first, about);
    if (alias !== undefined && !alias.includes(" ")) names.set(alias, about);
  }
  return [...names];
}

function flagsLeft(flags: readonly Flag[], before: readonly string[]): Candidate[] {
  return flags.flatMap(([form, about, config]): Candidate[] => {
    const long = /--[a-z-]+/.exec(form)![0];
    return before.includes(long) && config === undefined ? [] : [[long, about]];
  });
}

/** `state` of `--state <state>`; undefined for a flag without a value. */
function kindOf(flags: readonly Flag[], typed: string): string | undefined {
  const found = flags.find(([form]) => form.split(/[ ,]+/).includes(typed));
  // What an option names is a thing of the user's own where it is called id.
  const kind = /<(.*)>/.exec(found?.[0] ?? "")?.[1]?.replace(/^id$/, "new id");
  return found?.[0] === "--queue <name>" ? "queue" : kind;
}

/** `id` of `<id>`, `<...id>` or, at the first place, `[...id]`. */
function positional({ takes = "" }: Named, place: number): string | undefined {
  const kinds = takes.split(" ").filter(Boolean);
  const kind = kinds[place] ?? kinds.find((one) => one.includes("..."));
  return kind?.replace(/[^a-z]/g, "");
}

async function valuesFor(
  context: Context,
  kind: string | undefined,
  command: Named | undefined,
  prefix: string,
): Promise<readonly Candidate[] | "files"> {
  const words = (texts: readonly string[]): Candidate[] => texts.map((text) => [text, ""]);
  switch (kind) {
    case "states": {
      const states = command?.name === "prune" ? settledStates : jobStates;
      const before = prefix.slice(0, prefix.lastIndexOf(",") + 1);
      return words(states.map((state) => before + state));
    }
    case "key":
      return words(settingKeys);
    case "kind":
      return words(backoffs);
    case "shell":
      return words(["bash", "zsh", "fish"]);
    case "scope":
      return words(scopes);
    case "job":
    case "id":
      return withStore(context, (store) => jobIds(store, prefix, wantedBy(command)));
    case "alert":
      return withStore(context, async (store) => words((await store.alerts.list()).map(({ name }) => name)));
    case "what":
      return command?.name === "alert add" ? words(alertEvents) : [];
    case "worker":
      return withStore(context, async (store) => words((await store.workers.list()).map(({ id }) => id)));
    case "tag":
      return withStore(context, async (store) => words(await tagsOf(store)));
    case "schedule":
      return withStore(context, async (store) =>
        words((await store.schedules.list()).map(({ name }) => name)),
      );
    case "queue":
      return withStore(context, async (store) =>
        words((await store.stats.queues()).map(({ queue }) => queue)),
      );
    case "file":
    case "folder":
    case "path":
    case "place":
    case "command":
      return "files";
    default:
      return [];
  }
}

/** Those that a command can do something to. */
function wantedBy(command: Named | undefined): (state: JobState) => boolean {
  if (command?.name.startsWith("dlq ")) return (state) => state === "dead";
  if (command?.name === "cancel" || command?.name === "wait") return (state) => !isSettled(state);
  if (["hold", "release", "edit"].includes(command?.name ?? "")) return isWaiting;
  return () => true;
}

/** As many as a screen shows. */
const mostIds = 40;

/** Jobs that are asked for their labels. */
const newestLookedAt = 500;

/** The newest, so that no history is too long for it. */
async function jobIds(
  store: Store,
  prefix: string,
  isWanted: (state: JobState) => boolean,
): Promise<Candidate[]> {
  const filter = { search: prefix === "" ? undefined : prefix };
  const { jobs } = await store.matching.page(filter, { limit: 5 * mostIds, scan: 1000 });
  return jobs
    .filter(({ id, state }) => id.startsWith(prefix) && isWanted(state))
    .slice(0, mostIds)
    .map(({ id, state, command }) => [id, `${state}  ${command}`]);
}

/** Those of the newest jobs, so that no history is too long for it. */
async function tagsOf(store: Store): Promise<string[]> {
  const { jobs } = await store.matching.page({}, { limit: newestLookedAt, scan: newestLookedAt });
  return [...new Set(jobs.flatMap(({ tags }) => tags))];
}

/** Nothing where there is no queue yet: a key that is pressed makes none. */
async function withStore(
  context: Context,
  ask: (store: Store) => Promise<Candidate[]>,
): Promise<readonly Candidate[]> {
  const { home, database } = context.place;
  if (database === undefined && !existsSync(databasePath(home))) return [];
  await using store = await context.openStore();
  return ask(store);
}
