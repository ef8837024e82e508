// What the command line shows: data on stdout, talk on stderr; tables and colours for people, plain rows and JSON for programs.

import { fstatSync, writeSync } from "node:fs";
import { oneLine } from "../domain/one-line.ts";
import type { Flag } from "./words.ts";

/** Writes data to stdout (or stderr), whole. False when nobody reads it any more. */
export async function writeOut(data: string | Uint8Array, descriptor: 1 | 2 = 1): Promise<boolean> {
  const bytes = typeof data === "string" ? Buffer.from(data) : data;
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPIPE") return false;
      if (code !== "EAGAIN") throw error;
      await Bun.sleep(5);
    }
  }
  return true;
}

export const printLine = (line: string) => writeOut(`${line}\n`);

export const jsonFlag: Flag = ["--json", "Print one JSON document"];

/** The one JSON document of a command. */
export const printJson = (value: unknown) => printLine(JSON.stringify(value, null, 2));

/** A line of talk: a hint, a warning, progress. */
export function note(line: string): void {
  try {
    writeSync(2, `${line}\n`);
  } catch {
    // Nobody listens.
  }
}

/**
 * Whether a descriptor is a terminal. The module that knows for sure takes longer to load than an enqueue does, so it is asked
 * only when the answer may be yes.
 */
export function isTerminal(descriptor: 0 | 1 | 2): boolean {
  try {
    if (!fstatSync(descriptor).isCharacterDevice()) return false;
  } catch {
    return false;
  }
  return process.getBuiltinModule("node:tty").isatty(descriptor);
}

/** Talk for somebody who sits there and may not know the next step: fainter than what was asked for. */
export function hint(line: string): void {
  if (!isTerminal(2)) return;
  const isPlain = process.env.NO_COLOR || process.env.TERM === "dumb";
  note(isPlain ? line : `\u001b[2m${line}\u001b[22m`);
}

type Style = "bold" | "green" | "yellow" | "red" | "cyan" | "gray" | "white";

/** A text with a colour for terminals. */
export type Cell = string | { readonly text: string; readonly style: Style };

export const wantsColour = () => isTerminal(1) && !process.env.NO_COLOR && process.env.TERM !== "dumb";

/** A cell as it is printed: on one line, with nothing in it that could steer the terminal but our own colour. */
function paint(cell: Cell): string {
  const { text, style } = typeof cell === "string" ? { text: cell, style: undefined } : cell;
  const plain = oneLine(text);
  if (!style || !wantsColour()) return plain;
  return process.getBuiltinModule("node:util").styleText(style, plain, { validateStream: false });
}

const bold = (text: string): Cell => ({ text, style: "bold" });

const stateStyles: Record<string, Style> = {
  completed: "green",
  failed: "yellow",
  dead: "red",
  processing: "cyan",
  cancelled: "gray",
};

export const stateCell = (state: string): Cell => {
  const style = stateStyles[state];
  return style ? { text: state, style } : state;
};

/**
 * Rows for people: aligned below a heading and cut to the terminal's width; or, where stdout is no terminal, the bare cells with
 * tabs between, a line each.
 */
export async function printTable(
  heading: readonly string[],
  rows: readonly (readonly Cell[])[],
): Promise<void> {
  const cells = rows.map((row) => row.map(paint));
  if (!isTerminal(1)) {
    await writeOut(cells.map((row) => `${row.join("\t")}\n`).join(""));
    return;
  }
  const widths = heading.map((title, column) =>
    Math.max(title.length, ...cells.map((row) => Bun.stringWidth(row[column] ?? ""))),
  );
  const columns = process.stdout.columns || 80;
  const lines = [heading.map((title) => paint(bold(title))), ...cells].map((row) => {
    const padded = row.map((cell, column) => cell + " ".repeat(widths[column]! - Bun.stringWidth(cell)));
    return cut(padded.join("  ").trimEnd(), columns);
  });
  await writeOut(`${lines.join("\n")}\n`);
}

/** A fact about one thing; null when it has none of the kind. */
export type Fact = readonly [name: string, value: Cell | null];

/** Facts about one thing, a line each. */
export const printFacts = (facts: readonly Fact[]) =>
  writeOut(
    factLines(facts.filter((fact): fact is [string, Cell] => fact[1] !== null))
      .map((line) => `${line}\n`)
      .join(""),
  );

export function factLines(facts: readonly (readonly [string, Cell])[]): string[] {
  const width = Math.max(...facts.map(([name]) => name.length));
  return facts.map(([name, value]) => `${paint(bold(name.padEnd(width)))}  ${paint(value)}`);
}

/** A line as far as it fits. */
export const cut = (text: string, columns: number) =>
  Bun.stringWidth(text) <= columns ? text : `${Bun.sliceAnsi(text, 0, columns - 1)}…`;
