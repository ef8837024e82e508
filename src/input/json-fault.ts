// Where a text stops being JSON: JavaScriptCore does not say.

import { type ParseError, parse, printParseErrorCode } from "jsonc-parser";

/** Such as `unexpected end at line 1, column 12`; of one line of many, whose number the caller says, just the column. */
export function jsonFault(text: string, { oneOfMany = false } = {}): string {
  const errors: ParseError[] = [];
  try {
    parse(text, errors, { disallowComments: true, allowTrailingComma: false });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return "it is nested too deeply";
  }
  const [first] = errors;
  if (!first) return "it cannot be read";
  const before = text.slice(0, first.offset);
  const line = before.split("\n").length;
  const column = first.offset - before.lastIndexOf("\n");
  const what =
    first.offset >= text.length
      ? "unexpected end"
      : printParseErrorCode(first.error)
          .replace(/([a-z])([A-Z])/g, "$1 $2")
          .toLowerCase();
  return oneOfMany ? `${what} at column ${column}` : `${what} at line ${line}, column ${column}`;
}
