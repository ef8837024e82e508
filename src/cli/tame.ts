// Output for a terminal: its colours stay, and whatever else could steer the terminal or make a text read other than it is does
// not. What goes into a file or a pipe is not touched.

import { type Line, type Style, terminalReader } from "../domain/terminal-text.ts";

export interface Tamer {
  /** The lines that these bytes complete. */
  lines(bytes: Uint8Array): string;
  /** What is left without a line end. */
  rest(): string;
}

export function tamer(): Tamer {
  const decoder = new TextDecoder();
  const reader = terminalReader();
  return {
    lines: (bytes) =>
      reader
        .read(decoder.decode(bytes, { stream: true }))
        .map((line) => `${lineText(line)}\n`)
        .join(""),
    rest: () => lineText(reader.rest()),
  };
}

const lineText = (line: Line) =>
  line.map(({ text, style, isMark }) => styled(isMark ? `<${text}>` : text, codesOf(style))).join("");

const styled = (text: string, codes: readonly (string | number)[]) =>
  codes.length === 0 ? text : `\u001b[${codes.join(";")}m${text}\u001b[0m`;

/** Parameters of Select Graphic Rendition, ECMA-48 8.3.117. */
function codesOf(style: Style): (string | number)[] {
  const codes: (string | number)[] = [];
  if (style.bold) codes.push(1);
  if (style.dim) codes.push(2);
  if (style.italic) codes.push(3);
  if (style.underline) codes.push(4);
  if (style.inverse) codes.push(7);
  if (style.strike) codes.push(9);
  if (style.foreground !== undefined) codes.push(`38;5;${style.foreground}`);
  if (style.background !== undefined) codes.push(`48;5;${style.background}`);
  return codes;
}
