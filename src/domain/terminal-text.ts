// What a command printed, as styled text: colours become styles, and everything else that could steer a terminal, or make a text
// read other than it is, is dropped or made visible.

export interface Style {
  /** A colour of the 256, by its number. */
  readonly foreground?: number | undefined;
  readonly background?: number | undefined;
  readonly bold?: boolean | undefined;
  readonly dim?: boolean | undefined;
  readonly italic?: boolean | undefined;
  readonly underline?: boolean | undefined;
  readonly inverse?: boolean | undefined;
  readonly strike?: boolean | undefined;
}

export interface Run {
  readonly text: string;
  readonly style: Style;
  /** Names a character that cannot be seen, such as `U+202E`. */
  readonly isMark?: boolean;
}

export type Line = readonly Run[];

export interface TerminalReader {
  /** The lines that a text completes. */
  read(text: string): Line[];
  /** The line that is not complete yet. */
  rest(): Line;
}

const plain: Style = {};

/** Marks that turn the writing direction, and characters of no width. */
const unseen = /[\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/;

// biome-ignore-start lint/suspicious/noControlCharactersInRegex: control characters are what this is about
/** A control sequence, a string for the terminal (closed, or given up at the line's end), or any other escape. */
const sequence =
  /\u001b(?:\[([0-?]*)[ -/]*([@-~])|[\]PX^_][^\u0007\u001b\n]*(?:\u0007|\u001b\\)?|(?![[\]PX^_])[ -/]*[0-~])/y;

const isClosed = (text: string) => !/^\u001b[\]PX^_]/.test(text) || /(?:\u0007|\u001b\\)$/.test(text);
// biome-ignore-end lint/suspicious/noControlCharactersInRegex: control characters are what this is about

/** How much of an escape may stand at the end of a piece before it counts as broken. */
const longestEscape = 4096;

/** A line is kept up to here: output without line ends must not fill the memory. */
const longestLine = 20_000;

/** Reads pieces of one output, in order; styles go on from piece to piece. */
export function terminalReader(): TerminalReader {
  let style: Style = plain;
  let line: Run[] = [];
  let returned = false;
  let held = "";
  let length = 0;

  const add = (whole: string, isMark = false) => {
    if (returned) line = [];
    if (returned || line.length === 0) length = 0;
    returned = false;
    if (length >= longestLine) return;
    const text = whole.slice(0, longestLine - length);
    length += text.length;
    const last = line.at(-1);
    if (last && !isMark && !last.isMark && last.style === style)
      line[line.length - 1] = { text: last.text + text, style };
    else line.push(isMark ? { text, style, isMark } : { text, style });
  };

  const backspace = () => {
    const last = line.pop();
    if (last && !last.isMark && last.text.length > 1)
      line.push({ text: last.text.slice(0, -1), style: last.style });
  };

  return {
    read(piece) {
      const lines: Line[] = [];
      const text = held + piece;
      held = "";
      for (let at = 0; at < text.length; ) {
        const from = at;
        while (at < text.length && isOrdinary(text.charCodeAt(at))) at++;
        if (at > from) add(text.slice(from, at));
        if (at === text.length) break;
        const character = text[at]!;
        if (character === "\u001b") {
          sequence.lastIndex = at;
          const match = sequence.exec(text);
          const isOpen = !match || (sequence.lastIndex === text.length && !isClosed(match[0]));
          if (isOpen && text.length - at < longestEscape && !text.includes("\n", at)) {
            held = text.slice(at);
            break;
          }
          if (match?.[2] === "m") style = restyled(style, match[1]!);
          at = match ? sequence.lastIndex : at + 1;
          continue;
        }
        at++;
        if (character === "\n") {
          lines.push(line);
          line = [];
          returned = false;
        } else if (character === "\r") returned = true;
        else if (character === "\b") backspace();
        else if (unseen.test(character)) add(codeName(character), true);
      }
      return lines;
    },
    rest: () => line,
  };
}

function isOrdinary(code: number): boolean {
  if (code === 9 || (code >= 32 && code < 127)) return true;
  return code >= 160 && !unseen.test(String.fromCharCode(code));
}

const codeName = (character: string) =>
  `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;

/** A style after one `ESC [ … m`. */
function restyled(style: Style, parameters: string): Style {
  const codes = parameters === "" ? [0] : parameters.split(/[;:]/).map(Number);
  let next: Style = style;
  for (let index = 0; index < codes.length; index++) {
    const code = codes[index]!;
    if (code === 0) next = plain;
    else if (code === 38 || code === 48) {
      const { colour, used } = extendedColour(codes.slice(index + 1));
      index += used;
      if (colour !== undefined) next = { ...next, [code === 38 ? "foreground" : "background"]: colour };
    } else next = { ...next, ...simple(code) };
  }
  return next;
}

function simple(code: number): Style {
  if (code >= 30 && code <= 37) return { foreground: code - 30 };
  if (code >= 90 && code <= 97) return { foreground: code - 82 };
  if (code >= 40 && code <= 47) return { background: code - 40 };
  if (code >= 100 && code <= 107) return { background: code - 92 };
  switch (code) {
    case 1:
      return { bold: true };
    case 2:
      return { dim: true };
    case 3:
      return { italic: true };
    case 4:
      return { underline: true };
    case 7:
      return { inverse: true };
    case 9:
      return { strike: true };
    case 22:
      return { bold: undefined, dim: undefined };
    case 23:
      return { italic: undefined };
    case 24:
      return { underline: undefined };
    case 27:
      return { inverse: undefined };
    case 29:
      return { strike: undefined };
    case 39:
      return { foreground: undefined };
    case 49:
      return { background: undefined };
    default:
      return {};
  }
}

/** `5;n` of the 256 colours, or `2;r;g;b` as the nearest of their cube. */
function extendedColour([kind, ...values]: readonly number[]): { colour: number | undefined; used: number } {
  if (kind === 5) return { colour: inRange(values[0], 255), used: 2 };
  if (kind !== 2) return { colour: undefined, used: 1 };
  const [r, g, b] = values.slice(0, 3).map((value) => Math.round(((inRange(value, 255) ?? 0) / 255) * 5));
  return { colour: 16 + 36 * (r ?? 0) + 6 * (g ?? 0) + (b ?? 0), used: 4 };
}

const inRange = (value: number | undefined, most: number) =>
  value !== undefined && Number.isInteger(value) && value >= 0 && value <= most ? value : undefined;
