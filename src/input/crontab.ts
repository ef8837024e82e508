// A user's crontab, as crontab(5) has it: lines of times and commands, and variables for those below them. What cron did for a
// command and queuectl does not is put into the command itself: another shell, and the text behind a `%` as its stdin.

import { inPlace, misuse, shown } from "../domain/errors.ts";
import { inQuotes } from "../domain/shell-words.ts";
import { readCron } from "./cron.ts";

export interface CrontabEntry {
  /** Made of the command; no two of a file share one. */
  readonly name: string;
  readonly cron: string;
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
  /** What `CRON_TZ` says. */
  readonly tz: string | undefined;
  /** Seconds; what `RANDOM_DELAY` says. */
  readonly jitter: number | undefined;
  /** Such as `line 3`. */
  readonly where: string;
}

export interface Crontab {
  readonly entries: readonly CrontabEntry[];
  /** What is left out or done otherwise, a sentence each. */
  readonly notes: readonly string[];
}

/** Variables that say something to cron and nothing to the command. */
const cronsOwn = new Set([
  "MAILTO",
  "MAILFROM",
  "CRON_TZ",
  "RANDOM_DELAY",
  "CONTENT_TYPE",
  "CONTENT_TRANSFER_ENCODING",
]);

/** The schedules of a crontab. Refuses the first line that is none, by its number; `tz` is the zone of times without `CRON_TZ`. */
export function readCrontab(text: string, tz: string): Crontab {
  const variables = new Map<string, string>();
  const entries: CrontabEntry[] = [];
  const notes: string[] = [];
  const names = new Set<string>();
  for (const [index, line] of text.split("\n").entries()) {
    const where = `line ${index + 1}`;
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const variable = variableIn(trimmed);
    if (variable) {
      const [name, value] = variable;
      variables.set(name, value);
      if (name === "MAILTO" && value !== "") {
        notes.push(`${where}: no mail is sent to ${value}; queuectl logs shows what a command printed`);
      }
    } else if (/^@reboot\b/i.test(trimmed)) {
      notes.push(
        `${where} is left out: @reboot is no time; let what starts the machine say queuectl enqueue`,
      );
    } else {
      entries.push(inPlace(where, () => entryIn(trimmed, { variables, tz, names, where })));
    }
  }
  return { entries, notes };
}

/** `NAME = value`, each of them in quotes or not. */
function variableIn(line: string): [string, string] | undefined {
  const match = /^(?:"([^"]+)"|'([^']+)'|([A-Za-z_]\w*))\s*=\s*(.*)$/.exec(line);
  if (!match) return undefined;
  const value = match[4]!.trim();
  return [match[1] ?? match[2] ?? match[3]!, /^(["'])(.*)\1$/.exec(value)?.[2] ?? value];
}

interface Around {
  readonly variables: ReadonlyMap<string, string>;
  readonly tz: string;
  readonly names: Set<string>;
  readonly where: string;
}

function entryIn(line: string, { variables, tz, names, where }: Around): CrontabEntry {
  // A minus in front asks cron not to log.
  const match = /^-?(@\S+|(?:\S+\s+){4}\S+)\s+(.*)$/.exec(line);
  if (!match) throw misuse(`${shown(line)} is neither a variable nor five fields and a command`);
  const [, cron, rest] = match as unknown as [string, string, string];
  const zone = variables.get("CRON_TZ") || undefined;
  readCron(cron, zone ?? tz);
  refuseUserField(rest);
  const env = Object.fromEntries([...variables].filter(([name]) => !cronsOwn.has(name)));
  const { command, input } = atPercent(rest);
  if (command === "") throw misuse("there are times, and no command");
  return {
    name: newName(command, names),
    cron: cron.replace(/\s+/g, " "),
    command: withShell(command, input, env.SHELL ?? "/bin/sh"),
    env,
    tz: zone,
    jitter: delayIn(variables.get("RANDOM_DELAY")),
    where,
  };
}

const systemAdvice = "only a user's own crontab (crontab -l) can be read";

/** The system's crontabs have a user between times and command, who cannot be told from a command by a name alone. */
export function refuseSystemCrontab(path: string): void {
  if (/^\/etc\/(crontab$|cron\.d\/)/.test(path))
    throw misuse(`${path} has a user in each line`, systemAdvice);
}

/** Of such a crontab that came by another way. */
function refuseUserField(rest: string): void {
  if (/^(root|www-data|nobody|postgres)\s/.test(rest))
    throw misuse(`${shown(rest)} begins with a user, as in /etc/crontab`, systemAdvice);
}

/** The first `%` ends the command; what follows is its stdin, with a line end for each further one. `\%` is a percent sign. */
function atPercent(text: string): { readonly command: string; readonly input: string | undefined } {
  const [command, ...lines] = text.split(/(?<!\\)%/).map((part) => part.replaceAll("\\%", "%"));
  return { command: command!.trim(), input: lines.length === 0 ? undefined : lines.join("\n") };
}

function withShell(command: string, input: string | undefined, shell: string): string {
  const called = `${inQuotes(shell)} -c ${inQuotes(command)}`;
  if (input !== undefined)
    return `printf '${/[^\n]$/.test(input) ? "%s\\n" : "%s"}' ${inQuotes(input)} | ${called}`;
  return shell === "/bin/sh" ? command : `exec ${called}`;
}

/** Minutes, as cronie has it. */
function delayIn(minutes: string | undefined): number | undefined {
  if (minutes === undefined || minutes === "") return undefined;
  if (!/^\d{1,4}$/.test(minutes)) throw misuse(`RANDOM_DELAY cannot be ${shown(minutes)}: it is minutes`);
  return Number(minutes) * 60;
}

function newName(command: string, taken: Set<string>): string {
  const base = nameOf(command);
  let name = base;
  for (let n = 2; taken.has(name); n++) name = `${base}-${n}`;
  taken.add(name);
  return name;
}

/** What runs another command, and so does not name what is done. */
const fronts = /^(exec|nohup|time|sudo|env|nice|ionice|setsid|chronic|command|eatmydata)$/;
const interpreters = /^(python[\d.]*|perl|ruby|node|php[\d.]*|bash|sh|dash|zsh|bun|deno)$/;

const longestName = 40;

/** The program that a command is about: `backup.sh` for `cd /srv && nice -n 10 ./backup.sh --all`. */
function nameOf(command: string): string {
  const last = command.replace(/^(\s*(cd\s[^;&|]*|\[[^\]]*\]|test\s[^;&|]*)\s*(&&|;|\|\|)\s*)+/, "");
  const words = last.split(/\s+/).map((word) => word.replace(/^["'(]+|["');]+$/g, ""));
  let index = 0;
  const skipOptions = () => {
    while (words[index]?.startsWith("-")) index += /^-[nc]$/.test(words[index]!) ? 2 : 1;
  };
  const at = () => basename(words[index] ?? "");
  while (/^[A-Za-z_]\w*=/.test(words[index] ?? "") || fronts.test(at())) {
    index++;
    skipOptions();
  }
  if (interpreters.test(at()) && words[index + 1] !== undefined && words[index + 1] !== "-c") {
    index++;
    skipOptions();
  }
  const name = at()
    .replace(/[^A-Za-z0-9._:-]+/g, "-")
    .replace(/^[^A-Za-z0-9_]+|-+$/g, "");
  return name.slice(0, longestName) || "cron";
}

const basename = (path: string) => path.split("/").filter(Boolean).at(-1) ?? "";
