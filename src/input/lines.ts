// The lines of a stream of bytes, as they come: a million of them need no more memory than a few.

import { misuse } from "../domain/errors.ts";

export interface Line {
  readonly text: string;
  /** 1 for the first. */
  readonly number: number;
}

/** What ends a line, and what a message calls one. */
export interface LineKind {
  readonly end: number;
  readonly called: string;
}

export const textLine: LineKind = { end: 0x0a, called: "line" };

/** As `find -print0` writes them. */
export const nulLine: LineKind = { end: 0x00, called: "value" };

/** Refuses, by its number, a line that is not UTF-8. */
export async function* linesOf(
  bytes: AsyncIterable<Uint8Array>,
  { end, called }: LineKind = textLine,
): AsyncGenerator<Line> {
  // A fatal decoder, so that broken UTF-8 is refused and not stored as something else.
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let number = 0;
  const decode = (line: Uint8Array): Line => {
    number++;
    try {
      return { text: decoder.decode(line), number };
    } catch {
      throw misuse(`${called} ${number}: the file is not UTF-8 text`);
    }
  };
  // A line that spans chunks is put together once, at its end: a file may be one line of many megabytes.
  let begun: Uint8Array[] = [];
  for await (const chunk of bytes) {
    let start = 0;
    for (let at = chunk.indexOf(end); at >= 0; at = chunk.indexOf(end, start)) {
      const piece = chunk.subarray(start, at);
      yield decode(begun.length === 0 ? piece : Buffer.concat([...begun, piece]));
      begun = [];
      start = at + 1;
    }
    if (start < chunk.length) begun.push(Uint8Array.from(chunk.subarray(start)));
  }
  if (begun.length > 0) yield decode(Buffer.concat(begun));
}
