// Many jobs from a list of values: one command each, made from a template.

import { inPlace, misuse } from "../domain/errors.ts";
import type { PlacedRequest } from "./job-lines.ts";
import { type Line, type LineKind, linesOf, nulLine, textLine } from "./lines.ts";
import { type Fill, readTemplate } from "./template.ts";

export interface Each {
  /** A command with placeholders. */
  readonly template: string;
  /** What stands between the columns of a line: one character, or a regular expression. */
  readonly colsep: string | undefined;
  /** Values end with a NUL byte, as `find -print0` writes them. */
  readonly isNull: boolean;
}

/** The jobs that a list in a stream of bytes gives. The template is checked at once, a line when it comes; empty ones are left out. */
export function readEach(bytes: AsyncIterable<Uint8Array>, each: Each): AsyncIterable<PlacedRequest> {
  const fill = readTemplate(each.template, { hasColumns: each.colsep !== undefined });
  return jobsFrom(bytes, fill, splitter(each.colsep), each.isNull ? nulLine : textLine);
}

async function* jobsFrom(
  bytes: AsyncIterable<Uint8Array>,
  fill: Fill,
  split: (line: string) => readonly string[],
  kind: LineKind,
): AsyncIterable<PlacedRequest> {
  let number = 0;
  for await (const line of linesOf(bytes, kind)) {
    const text = kind === textLine ? withoutMarks(line) : line.text;
    if (text === "") continue;
    number++;
    const where = `${kind.called} ${line.number}`;
    const command = inPlace(where, () => fill(split(checked(text)), number));
    yield { request: { command }, where };
  }
}

/** Without what Windows puts around the lines of a text: a byte order mark at its beginning, a carriage return at each line's end. */
const withoutMarks = ({ text, number }: Line) =>
  (number === 1 ? text.replace(/^\uFEFF/, "") : text).replace(/\r$/, "");

function checked(text: string): string {
  if (text.includes("\0")) throw misuse("it contains a NUL byte", "--null reads values that end with one");
  return text;
}

function splitter(colsep: string | undefined): (line: string) => readonly string[] {
  if (colsep === undefined) return (line) => [line];
  const between = separator(colsep);
  // Not by split(), which puts what a group of the expression matched among the columns. No line contains a NUL byte.
  return (line) => line.replaceAll(between, "\0").split("\0");
}

function separator(colsep: string): RegExp {
  const form = colsep.length === 1 ? RegExp.escape(colsep) : colsep;
  let pattern: RegExp;
  try {
    pattern = new RegExp(form, "gu");
  } catch (error) {
    throw misuse(`--colsep ${JSON.stringify(colsep)} is no regular expression: ${(error as Error).message}`);
  }
  if (pattern.test(""))
    throw misuse(`--colsep ${JSON.stringify(colsep)} finds a column's end between any two characters`);
  pattern.lastIndex = 0;
  return pattern;
}
