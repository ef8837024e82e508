// A shell command with gaps for the values of a list, such as `flac {} -o {.}.flac`. The placeholders and what becomes of them are
// those of GNU parallel; a value is quoted by where its gap stands, also between the template's own quotes, so that the shell reads
// it back as it was. To know where that is the template is read as a shell would; what this reader cannot follow for sure is refused.

import { misuse } from "../domain/errors.ts";
import { inQuotes, quotedProgram, withinDoubleQuotes, withinQuotes } from "../domain/shell-words.ts";
import { readTwiceBy } from "./second-shell.ts";

/** The command for one job: the columns of its line, and its number from 1. Refuses a line that lacks a column. */
export type Fill = (columns: readonly string[], number: number) => string;

/** Where a gap stands: bare, bare and touching other text, or between quotes. */
type Place = "bare" | "joined" | "single" | "double";

interface Gap {
  /** As it was typed. */
  readonly text: string;
  readonly place: Place;
  /** The job's number instead of a value. */
  readonly isNumber: boolean;
  /** From 1, or from -1 at the end; undefined for all. */
  readonly column: number | undefined;
  readonly cut: Cut;
}

/** Reads a template. One without a gap gets the value at its end. */
export function readTemplate(template: string, { hasColumns }: { hasColumns: boolean }): Fill {
  if (template.trim() === "") throw misuse("--each needs a command, such as --each 'flac {}'");
  if (/\$\(.*\bcase\b/s.test(template)) throw intricate("case within $(…)");
  let parts = [...partsOf(template)];
  if (parts.every((part) => typeof part === "string")) parts = [...partsOf(`${template} {}`)];
  const beyond = parts.find(
    (part) => typeof part !== "string" && !hasColumns && Math.abs(part.column ?? 1) > 1,
  );
  if (beyond) throw misuse(`${(beyond as Gap).text} is a column; --colsep says what stands between them`);
  return (columns, number) =>
    parts.map((part) => (typeof part === "string" ? part : fillGap(part, columns, number))).join("");
}

function fillGap(
  { text, place, isNumber, column, cut }: Gap,
  columns: readonly string[],
  number: number,
): string {
  if (isNumber) return quote(String(number), place);
  if (column === undefined) return quoteAll(columns.map(cuts[cut]), place);
  const value = columns.at(column > 0 ? column - 1 : column);
  if (value === undefined) throw misuse(`there is no column ${text}; it has ${columns.length}`);
  return quote(cuts[cut](value), place);
}

/** Several values are several words, or between quotes one. */
const quoteAll = (values: readonly string[], place: Place) =>
  place === "bare" || place === "joined"
    ? values.map((value) => quote(value, place)).join(" ")
    : quote(values.join(" "), place);

function quote(value: string, place: Place): string {
  switch (place) {
    case "bare":
      return value.includes(",") ? inQuotes(value) : quotedProgram(value);
    case "joined":
      return inQuotes(value);
    case "single":
      return withinQuotes(value);
    case "double":
      return withinDoubleQuotes(value);
  }
}

const base = (path: string) => path.slice(path.lastIndexOf("/") + 1);
const stem = (path: string) => path.replace(/\.[^/.]*$/, "");

/** What a gap takes of a path, as GNU parallel has it: a name is what follows the last `/`, an extension what follows its last dot. */
const cuts = {
  "": (path: string) => path,
  ".": stem,
  "/": base,
  "/.": (path: string) => stem(base(path)),
  "//": folder,
} as const;

type Cut = keyof typeof cuts;

/** As dirname(1) has it. */
function folder(path: string): string {
  const trimmed = path.replace(/(?<=.)\/+$/s, "");
  const end = trimmed.lastIndexOf("/");
  if (end < 0) return ".";
  return trimmed.slice(0, end + 1).replace(/(?<=.)\/+$/s, "");
}

const gapForm = /\{(?:(#)|(-?[1-9]\d*)?(\.|\/\.|\/\/|\/)?)\}/y;

/** A parameter in braces that is easy to follow: no other expansion and no quote in it. */
const parameter = /\$\{#?[A-Za-z_]\w*[^{}'"`$\\]*\}/y;

function* partsOf(template: string): Iterable<string | Gap> {
  /** What is open here, the innermost last. */
  const open: Opened[] = [];
  /** Where the simple command begins, of what is open around it too. */
  const begun = [0];
  let text = "";
  let at = 0;
  const matchHere = (pattern: RegExp) => {
    pattern.lastIndex = at;
    return pattern.exec(template);
  };
  while (at < template.length) {
    const gap = matchHere(gapForm);
    if (gap) {
      const program = readTwiceBy(template.slice(begun.at(-1), at));
      if (program !== undefined) throw secondShell(program);
      yield text;
      yield gapFrom(gap, placeOf(open.at(-1), template[at - 1], template[at + gap[0].length]));
      text = "";
      at += gap[0].length;
      continue;
    }
    const token = matchHere(parameter)?.[0] ?? matchHere(/\\.|\$\(|\$\{|\$['"]|<<|./sy)![0];
    const depth = depthOf(open);
    follow(token, open, template[at - 1]);
    text += token;
    at += token.length;
    if (depthOf(open) > depth) begun.push(at);
    else if (depthOf(open) < depth) begun.pop();
    else if (/[;&|\n]/.test(token) && !isQuote(open.at(-1))) begun[begun.length - 1] = at;
  }
  if (open.length > 0)
    throw misuse(`the --each command lacks a closing ${open.at(-1) === "(" ? ")" : open.at(-1)}`);
  yield text;
}

type Opened = "(" | '"' | "'";

const depthOf = (open: readonly Opened[]) => open.filter((one) => one === "(").length;

const isQuote = (opened: Opened | undefined) => opened === "'" || opened === '"';

/** What a token opens or closes. */
function follow(token: string, open: Opened[], before: string | undefined): void {
  const inner = open.at(-1);
  if (inner === "'") {
    if (token.endsWith("'")) open.pop();
  } else if (token === "\\") {
    throw misuse("the --each command ends with a backslash");
  } else if (token === "`") {
    throw intricate("backquotes; write $(…)");
  } else if (token === "${") {
    throw intricate("a $ before a brace; \\$ is a dollar sign, and quotes end a name");
  } else if (token === "$(") {
    open.push("(");
  } else if (inner === '"') {
    if (token.endsWith('"') && !token.startsWith("\\")) open.pop();
  } else {
    followBare(token, open, before);
  }
}

function followBare(token: string, open: Opened[], before: string | undefined): void {
  if (token === "'" || token === '"' || token === "(") open.push(token);
  else if (token === ")" && open.at(-1) === "(") open.pop();
  else if (token === "$'" || token === '$"') throw intricate(token);
  else if (token === "<<") throw intricate("<<");
  else if (token === "#" && (before === undefined || /[\s;&|()]/.test(before))) throw intricate("a comment");
}

const secondShell = (program: string) =>
  misuse(
    `in the --each command ${program} has a shell read the value once more, as code`,
    `put it into a script file, or hand it over as a word: sh -c 'echo "$1"' sh {}`,
  );

const intricate = (what: string) =>
  misuse(
    `the --each command has ${what}, where a value cannot be quoted for sure`,
    "put it into a script file",
  );

function placeOf(inner: string | undefined, before = " ", behind = " "): Place {
  if (inner === "'") return "single";
  if (inner === '"') return "double";
  // Elsewhere a value could become one with its neighbour: a name with what a $ begins, a digit with a redirection.
  return /[\s./=:-]/.test(before) && /[\s./:;|)-]/.test(behind) ? "bare" : "joined";
}

const gapFrom = ([text, hash, column, cut = ""]: RegExpExecArray, place: Place): Gap => ({
  text,
  place,
  isNumber: hash !== undefined,
  column: column === undefined ? undefined : Number(column),
  cut: cut as Cut,
});
