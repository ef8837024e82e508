// What --help says: of everything, of a group of commands, or of one; and what somebody reads who calls queuectl without a word.

import type { Command } from "./command.ts";
import { isTerminal } from "./output.ts";
import { type Entry, parts, program, shown } from "./program.ts";
import type { Named } from "./words.ts";

const { everywhere } = program;

/** For somebody who meets it for the first time. */
export function introduction(): string {
  return [
    whatItIs,
    section("Try", firstWords),
    "queuectl demo shows a queue full of work, and its dashboard, in a folder of its own.",
    "queuectl --help lists all commands.",
  ].join("\n\n");
}

export const whatItIs =
  "queuectl runs shell commands in the background and makes sure that each one gets done.";

const firstWords = [
  ["queuectl enqueue 'echo hello'", "store a command"],
  ["queuectl worker --until-empty", "run what is stored"],
  ["queuectl list", "see how it went"],
] as const;

export function programHelp(): string {
  const overview = shown.map(overviewOf);
  return [
    whatItIs,
    section("Usage", [["queuectl <command> [options]", ""]]),
    ...Array.from(parts, ([title, commands]) => section(title, commands.map(overviewOf), widestOf(overview))),
    section("Start with", firstWords),
    "queuectl <command> --help says more about a command.",
  ].join("\n\n");
}

/** `alone` is what the group's word means alone. */
export function groupHelp(group: string, alone: (Entry & Command) | undefined): string {
  return [
    section("Commands", shown.filter(({ name }) => name.startsWith(`${group} `)).map(overviewOf)),
    ...(alone === undefined
      ? []
      : [`queuectl ${group} alone is queuectl ${alone.name}.`, section("Options", optionsOf(alone))]),
    `queuectl ${group} <command> --help says more about a command.`,
  ].join("\n\n");
}

export function commandHelp(command: Entry & Command): string {
  const { about, examples } = command;
  return [
    `${about}.`,
    section("Usage", [[`queuectl ${usageOf(command)}`, ""]]),
    section("Options", optionsOf(command)),
    ...(examples
      ? [
          section(
            "Examples",
            examples.map((text) => [text, ""] as const),
          ),
        ]
      : []),
  ].join("\n\n");
}

const optionsOf = ({ flags = [] }: Command): Row[] =>
  [...flags, ...everywhere]
    .filter(([flag]) => !flag.includes("--version"))
    .map(([flag, about]) => [flag, about]);

export const usageOf = (command: Named & Command) => command.usage ?? `${headOf(command)} [options]`;

const overviewOf = (command: Entry) => [headOf(command), command.about] as const;

/** cac's `<...id>` in the words of our own lines: `<id…>`. */
const headOf = ({ name, takes }: Named) =>
  takes === undefined ? name : `${name} ${takes.replaceAll(/\.\.\.(\w+)/g, "$1…")}`;

/** What stands at the left at a terminal, at most; what is longer has its text below it. */
const widestLeft = 28;

type Row = readonly [string, string];

const widestOf = (rows: readonly Row[]) => Math.max(...rows.map(([left]) => left.length));

/** At a terminal it fits the width, with texts that go on below themselves; elsewhere each row is one line. */
function section(title: string, rows: readonly Row[], widest = widestOf(rows)): string {
  const columns = isTerminal(1) ? process.stdout.columns || 80 : Number.POSITIVE_INFINITY;
  const width = columns === Number.POSITIVE_INFINITY ? widest : Math.min(widest, widestLeft);
  const indent = " ".repeat(width + 4);
  const lines = rows.flatMap(([left, right]) => {
    if (right === "") return [`  ${left}`];
    const texts = wrapped(right, columns - indent.length);
    const isBeside = left.length <= width;
    return [
      isBeside ? `  ${left.padEnd(width)}  ${texts[0]}` : `  ${left}`,
      ...texts.slice(isBeside ? 1 : 0).map((text) => indent + text),
    ];
  });
  return [`${title}:`, ...lines].join("\n");
}

/** A column narrower than this would have a word a line. */
const narrowest = 24;

const wrapped = (text: string, columns: number): string[] =>
  columns === Number.POSITIVE_INFINITY
    ? [text]
    : Bun.wrapAnsi(text, Math.max(narrowest, columns)).split("\n");
