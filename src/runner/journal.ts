// What outlives a worker: each command's shell writes into a small file, the journal of the worker process, which process it
// is and how it ended. A worker that takes over the commands of a dead one reads there what nobody waited for.

import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { isSystemError, unavailable } from "../domain/errors.ts";
import { ensureFolderOf, fileMode } from "../home.ts";

export interface Journal extends Disposable {
  readonly path: string;
  /** For the shells; each line is one write to the end. */
  readonly descriptor: number;
  /** Shortens a journal that has become long to its lines about these runs. */
  trim(unsettled: ReadonlySet<string>): void;
  /** Closes it, and removes the file. */
  remove(): void;
}

/** About a hundred thousand commands. */
const longBytes = 2 * 1024 ** 2;

export function openJournal(path: string): Journal {
  const descriptor = openFile(path);
  return {
    path,
    descriptor,
    trim(unsettled) {
      if (fstatSync(descriptor).size < longBytes) return;
      const kept = [...readJournal(path)].filter(([run]) => unsettled.has(run));
      // A command that begins or ends between the look and the cut is missed only if this process is killed soon after.
      ftruncateSync(descriptor, 0);
      writeSync(descriptor, kept.flatMap(linesOf).join(""));
    },
    remove() {
      closeSync(descriptor);
      rmSync(path, { force: true });
    },
    [Symbol.dispose]: () => closeSync(descriptor),
  };
}

function openFile(path: string): number {
  try {
    ensureFolderOf(path);
    return openSync(path, "a", fileMode);
  } catch (error) {
    throw isSystemError(error) ? unavailable(error) : error;
  }
}

export interface JournalEntry {
  readonly pid: number | undefined;
  /** The exit status, 128 + signal when the command was killed; undefined as long as it runs. */
  readonly status: number | undefined;
  /** The folder of its control group. */
  readonly cgroup: string | undefined;
}

function linesOf([run, { pid, status, cgroup }]: [string, JournalEntry]): string[] {
  const begun = pid === undefined ? [] : [`${run} @${pid}${cgroup === undefined ? "" : ` ${cgroup}`}\n`];
  return status === undefined ? begun : [...begun, `${run} ${status}\n`];
}

/** Of one that a full disk has cut off nobody knows what it was to say. */
const line = /^((?:[0-9a-f-]+\.)?\d+\.\d+) (@?)(\d+)(?: (.+))?\n/;
const lines = new RegExp(line, "gm");

const withLine = (
  known: JournalEntry | undefined,
  [, , at, number, cgroup]: readonly (string | undefined)[],
): JournalEntry => ({
  ...(known ?? { pid: undefined, status: undefined, cgroup: undefined }),
  ...(at ? { pid: Number(number), cgroup } : { status: Number(number) }),
});

/** What a journal says of each run, by `<job number>.<attempt number>`. A missing file says nothing. */
export function readJournal(path: string): Map<string, JournalEntry> {
  const entries = new Map<string, JournalEntry>();
  for (const match of textOf(path).matchAll(lines))
    entries.set(match[1]!, withLine(entries.get(match[1]!), match));
  return entries;
}

/**
 * What it says of one run, undefined when nothing. Searched for: of a worker that dies, hundreds of runs may be asked for, and to read all
 * that a long journal says takes a tenth of a second. Control groups are used again: one is named only for the last run that was in it.
 */
export function readRun(path: string, run: string): JournalEntry | undefined {
  const text = textOf(path);
  let entry: JournalEntry | undefined;
  for (let at = text.indexOf(`${run} `); at !== -1; at = text.indexOf(`${run} `, at + 1)) {
    if (at > 0 && text[at - 1] !== "\n") continue;
    const match = line.exec(text.slice(at, text.indexOf("\n", at) + 1));
    if (match) entry = withLine(entry, match);
  }
  if (entry?.cgroup === undefined) return entry;
  const last = text.lastIndexOf("\n", text.lastIndexOf(` ${entry.cgroup}\n`)) + 1;
  return text.startsWith(`${run} `, last) ? entry : { ...entry, cgroup: undefined };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isSystemError(error) && error.code === "ENOENT") return "";
    throw error;
  }
}

/**
 * The words that run a command as `/bin/sh -c` would and write its run into the journal on descriptor 3: its pid and its
 * control group before it starts, its exit status when it ends.
 *
 * The command is in a subshell that does not see descriptor 3, unless the outer shell does all of it, so nothing that it does (exec,
 * an EXIT trap, a syntax error) keeps the outer shell from writing; that one survives a TERM to the group, and so tells how a
 * command that handles TERM ended. `set --` hides our own arguments from the command, and the outer shell's own remarks ("Killed") go
 * nowhere. `limit`: words of the shell that what comes after them is to be limited by, or none.
 */
export const journalingShell = (
  command: string,
  run: string,
  { cgroup, limit }: { readonly cgroup: string | null; readonly limit: string },
): string[] => [
  "/bin/sh",
  "-c",
  script(run, command, limit),
  "sh",
  command,
  cgroup === null ? "" : ` ${cgroup}`,
];

/** Whether these are the words of the shell that runs an attempt. */
export const isJournalingShell = (words: readonly string[], run: string) =>
  words[2]?.startsWith(beginning(run)) ?? false;

/** The same of the words as ps(1) prints them. */
export const printsJournalingShell = (text: string, run: string) => text.includes(beginning(run).trimEnd());

const beginning = (run: string) =>
  `trap : TERM INT HUP; printf "%s\\n" "${run} @$$$2" >&3; exec 4>&2 2>/dev/null; `;

const script = (run: string, command: string, limit: string) =>
  `${beginning(run)}${limit}${runs(command)}; set -- $?; printf "%s\\n" "${run} $1" >&3; exit $1`;

const runs = (command: string) => {
  const isPlain = plain.test(command) && command.length <= longestPlain;
  const [program] = command.split(" ", 1);
  if (isPlain && done.has(program!)) return `${command} 2>&4`;
  const isProgram = isPlain && !notPrograms.has(program!);
  return `(${isProgram ? command : command.includes("$$") ? ownShell : evaluated}) 2>&4 3>&- 4>&-`;
};

/** A name and arguments without anything that a shell reads in its own way. */
const plain = /^[\w./:@%+,-]+(?: +[\w./:=@%+,-]+)*$/;

/** What the outer shell does itself, in no time: it starts no process, and nothing of it keeps the shell from going on. */
const done = new Set([":", "echo", "false", "pwd", "true"]);

/** It stands in the script, whose length is limited as the command's own is. */
const longestPlain = 4096;

/**
 * What opens a compound command in sh or bash, is timed with it, or would see our own arguments and open files. Any other is a
 * program with its arguments, which the subshell becomes by itself: one process less than with `eval`, which forks once more.
 */
const notPrograms = new Set(
  "if then elif else fi for in do done while until case esac function select time coproc . source eval command builtin set shift getopts test".split(
    " ",
  ),
);

/** One process less than a shell of its own. */
const evaluated = `eval "set --
$1"`;

/** In a subshell `$$` would be our outer shell: its pid in a pid file, or the target of a `kill $$`. */
const ownShell = 'exec /bin/sh -c "$1"';
