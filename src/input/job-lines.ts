// Many jobs from one text: a JSON object, a JSON array, or JSON Lines, told apart by how it begins. Lines are read as they
// come, so that a million of them need no more memory than a few.

import { misuse } from "../domain/errors.ts";
import type { JobRequest } from "../domain/job.ts";
import { placed, readJob, readJobValue, readJson } from "./job.ts";

/** A job and where it stood, to begin a message with. */
export interface PlacedRequest {
  readonly request: JobRequest;
  readonly where: string | undefined;
}

/** The jobs in a stream of bytes. Refuses the first that is none, by its line or its number. */
export async function* readJobs(bytes: AsyncIterable<Uint8Array>): AsyncIterable<PlacedRequest> {
  const lines = linesOf(bytes);
  const first = await firstLine(lines);
  if (first === undefined) throw misuse("there is no job in it: the file is empty");
  if (first.text.trimStart().startsWith("[")) {
    yield* readArray(await restOf(first.text, lines));
  } else if (isWhole(first.text)) {
    yield* readLines(first, lines);
  } else {
    yield* readObjectOrLines(first, await restOf(first.text, lines));
  }
}

interface Line {
  readonly text: string;
  /** 1 for the first. */
  readonly number: number;
}

function* readArray(text: string): Iterable<PlacedRequest> {
  const values = readJson(text);
  if (!Array.isArray(values)) throw misuse("the file begins like a JSON array and is none");
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
  return { request: readJob(text, where), where };
};

/** An object over several lines; or JSON Lines whose first line is broken, which is then the line to blame. */
function* readObjectOrLines(first: Line, text: string): Iterable<PlacedRequest> {
  const looksLikeLines = text
    .slice(first.text.length)
    .split("\n")
    .some((line) => line.trim() !== "" && isWhole(line));
  if (looksLikeLines) throw misuse(placed(faultOf(first.text), `line ${first.number}`));
  yield { request: readJob(text), where: undefined };
}

function faultOf(text: string): string {
  try {
    readJson(text);
    return "this is no job";
  } catch (error) {
    return (error as Error).message;
  }
}

/** Whether a line is a JSON object by itself. */
function isWhole(text: string): boolean {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null;
  } catch {
    return false;
  }
}

async function firstLine(lines: AsyncGenerator<Line>): Promise<Line | undefined> {
  for (;;) {
    const next = await lines.next();
    if (next.done) return undefined;
    if (next.value.text.trim() !== "") return next.value;
  }
}

async function restOf(first: string, lines: AsyncIterable<Line>): Promise<string> {
  const texts = [first];
  for await (const line of lines) texts.push(line.text);
  return texts.join("\n");
}

async function* linesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  // A fatal decoder, so that broken UTF-8 is refused and not stored as something else; it also drops a leading BOM.
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  let number = 0;
  const decode = (chunk?: Uint8Array) => {
    try {
      return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode();
    } catch {
      throw misuse(`line ${number + 1}: the file is not UTF-8 text`);
    }
  };
  for await (const chunk of bytes) {
    const lines = (rest + decode(chunk)).split("\n");
    rest = lines.pop()!;
    for (const text of lines) yield { text, number: ++number };
  }
  rest += decode();
  if (rest !== "") yield { text: rest, number: ++number };
}
