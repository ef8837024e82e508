// What the command line shows: tables and colours for people, plain rows and JSON for programs.

import { oneLine } from "../domain/one-line.ts";
import { isTerminal, writeOut } from "./streams.ts";
import type { Flag } from "./words.ts";

export * from "./streams.ts";

export const jsonFlag: Flag = ["--json", "Print one JSON document"];

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

/** What the last column of a table gets of a narrow terminal, as far as it fills it, before others that can be spared. */
const lastColumnWidth = 24;
/** What the widest of the others keeps, before some are spared and after. */
const [comfortable, narrowest] = [32, 12];
const gap = "  ";

/**
 * Rows for people: aligned below a heading and cut to the terminal's width, without the columns that can be spared, the first of them
 * first, as far as the last column would have too little; or, where stdout is no terminal, the bare cells with tabs between, a line each.
 */
export async function printTable(
  heading: readonly string[],
  rows: readonly (readonly Cell[])[],
  spare: readonly string[] = [],
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
  const shown = fitted(heading, widths, columns, spare);
  const lines = [heading.map((title) => paint(bold(title))), ...cells].map((row) => {
    const padded = shown.map(({ column, width }) => {
      const cell = cut(row[column]!, width);
      return cell + " ".repeat(width - Bun.stringWidth(cell));
    });
    return cut(padded.join(gap).trimEnd(), columns);
  });
  await writeOut(`${lines.join("\n")}\n`);
}

/** The columns that are shown, and how wide. */
function fitted(
  heading: readonly string[],
  widths: readonly number[],
  columns: number,
  spare: readonly string[],
) {
  let shown = heading.map((title, column) => ({ title, column, width: widths[column]! }));
  const excess = () =>
    shown
      .slice(0, -1)
      .reduce((sum, { width }) => sum + width + gap.length, Math.min(shown.at(-1)!.width, lastColumnWidth)) -
    columns;
  const shrinkWidest = (least: number) => {
    // The first names the row, and would be of no use without its end.
    const [widest] = shown.slice(1, -1).sort((a, b) => b.width - a.width);
    if (widest && excess() > 0)
      widest.width = Math.max(Math.min(widest.width, least), widest.width - excess());
  };
  shrinkWidest(comfortable);
  for (const one of spare) if (excess() > 0) shown = shown.filter(({ title }) => title !== one);
  shrinkWidest(narrowest);
  return shown;
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
