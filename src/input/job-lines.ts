// Many jobs from one text: a JSON object, a JSON array, or JSON Lines, told apart by how it begins. Lines are read as they
// come, so that a million of them need no more memory than a few.

import { misuse, shown } from "../domain/errors.ts";
import type { JobRequest } from "../domain/job.ts";
import { type Line, linesOf } from "./lines.ts";

/** Loads zod, which takes as long as all else that a short list of commands needs. */
const reading = () => require("./job.ts") as typeof import("./job.ts");

/** A job and where it stood, to begin a message with. */
export interface PlacedRequest {
  readonly request: JobRequest;
  readonly where: string | undefined;
}

/** The jobs in a stream of bytes. Refuses the first that is none, by its line or its number. */
export async function* readJobs(bytes: AsyncIterable<Uint8Array>): AsyncIterable<PlacedRequest> {
  const lines = linesOf(bytes);
  const first = await firstLine(lines);
  if (first === undefined) return;
  if (first.text.trimStart().startsWith("[")) {
    yield* readArray(await textFrom(first, lines));
  } else if (isWhole(first.text)) {
    yield* readLines(first, lines);
  } else if (isNoJson(first.text)) {
    throw misuse(
      `line ${first.number} is no JSON: ${shown(first.text.trim())}`,
      "of commands, one a line, jq -cR '{command: .}' makes it; --each takes a list of values",
    );
  } else {
    yield* readObjectOrLines(first, await textFrom(first, lines));
  }
}

function* readArray(text: string): Iterable<PlacedRequest> {
  const { readJobValue, readJson } = reading();
  // What begins so and is JSON is an array.
  const values = readJson(text) as unknown[];
  for (const [index, value] of values.entries()) {
    const where = `job ${index + 1}`;
    yield { request: readJobValue(value, where), where };
  }
}

async function* readLines(first: Line, others: AsyncIterable<Line>): AsyncIterable<PlacedRequest> {
  yield readLine(first);
  for await (const line of others) if (line.text.trim() !== "") yield readLine(line);
}

const readLine = ({ text, number }: Line): PlacedRequest => {
  const where = `line ${number}`;
  return { request: commandIn(text) ?? reading().readJob(text, where), where };
};

/** A job that says its command and nothing else; undefined for any other text. */
function commandIn(text: string): JobRequest | undefined {
  const value = parsed(text);
  if (typeof value !== "object" || value === null || !("command" in value)) return undefined;
  const { command, ...others } = value;
  return typeof command === "string" && Object.keys(others).length === 0 ? { command } : undefined;
}

/** An object over several lines; or JSON Lines whose first line is broken, which is then the line to blame. */
function* readObjectOrLines(first: Line, text: string): Iterable<PlacedRequest> {
  const others = text.split("\n").slice(first.number);
  if (!isWhole(text) && others.some(isWhole)) readLine(first);
  yield { request: reading().readJob(text), where: undefined };
}

/** Whether a text is a JSON object or array by itself. */
function isWhole(text: string): boolean {
  const value = parsed(text);
  return typeof value === "object" && value !== null;
}

/** Whether a text is not even the beginning of JSON that could be jobs. */
const isNoJson = (text: string) => !text.trimStart().startsWith("{") && parsed(text) === undefined;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function firstLine(lines: AsyncGenerator<Line>): Promise<Line | undefined> {
  for (;;) {
    const next = await lines.next();
    if (next.done) return undefined;
    const { number } = next.value;
    const text = number === 1 ? next.value.text.replace(/^\uFEFF/, "") : next.value.text;
    if (text.trim() !== "") return { text, number };
  }
}

/** The whole text from its first line on, with the blank lines above it, so that a fault is found where an editor shows it. */
async function textFrom(first: Line, lines: AsyncIterable<Line>): Promise<string> {
  const texts = [...Array<string>(first.number - 1).fill(""), first.text];
  for await (const line of lines) texts.push(line.text);
  return texts.join("\n");
}
