import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Run, terminalReader } from "../../src/domain/terminal-text.ts";

const escapeChar = "\u001b";

function read(...pieces: string[]) {
  const reader = terminalReader();
  const lines = pieces.flatMap((piece) => reader.read(piece));
  return [...lines, reader.rest()];
}

const textOf = (line: readonly Run[]) => line.map(({ text }) => text).join("");

describe("colours", () => {
  test("become styles, until they are taken back", () => {
    const [line] = read(`a ${escapeChar}[31mred ${escapeChar}[1mbold${escapeChar}[0m plain\n`);
    expect(line).toEqual([
      { text: "a ", style: {} },
      { text: "red ", style: { foreground: 1 } },
      { text: "bold", style: { foreground: 1, bold: true } },
      { text: " plain", style: {} },
    ]);
  });

  test("of the 256 and of the millions are numbers of the 256", () => {
    const style = (codes: string) => read(`${escapeChar}[${codes}mx`)[0]![0]!.style;
    expect(style("38;5;208")).toEqual({ foreground: 208 });
    expect(style("48;5;17")).toEqual({ background: 17 });
    expect(style("38;2;255;0;0")).toEqual({ foreground: 196 });
    expect(style("97;100")).toEqual({ foreground: 15, background: 8 });
    expect(style("38;5;999")).toEqual({});
    expect(style("38;5")).toEqual({});
  });

  test("go on from line to line and from piece to piece", () => {
    const [first, second] = read(`${escapeChar}[3`, "2mgre", "en\nstill\n");
    expect(first).toEqual([{ text: "green", style: { foreground: 2 } }]);
    expect(second).toEqual([{ text: "still", style: { foreground: 2 } }]);
  });
});

describe("what steers a terminal", () => {
  for (const [what, text] of [
    ["a cursor movement", `${escapeChar}[2J${escapeChar}[10;10Hx`],
    ["a title", `${escapeChar}]0;pwned\u0007x`],
    ["a link", `${escapeChar}]8;;javascript:alert(1)${escapeChar}\\x${escapeChar}]8;;${escapeChar}\\`],
    ["a device string", `${escapeChar}Pq#0;2;0;0;0${escapeChar}\\x`],
    ["a bell and other control characters", "\u0007\u0000\u000e\u007f\u009b31mx".replace("31m", "")],
    ["a character set", `${escapeChar}(Bx`],
  ] as const) {
    test(`${what} is dropped`, () => {
      expect(read(text).map(textOf)).toEqual(["x"]);
    });
  }

  test("an escape that never ends takes no more than its line", () => {
    expect(read(`${escapeChar}]0;open\nnext\n`).map(textOf)).toEqual(["", "next", ""]);
  });
});

test("progress that is written over itself is shown as it was last", () => {
  expect(read("10 %\r50 %\r100 %\nnext\r\n").map(textOf)).toEqual(["100 %", "next", ""]);
  expect(read("abc\b\bxy\n").map(textOf)).toEqual(["axy", ""]);
});

test("marks that turn the writing direction and characters of no width are named", () => {
  const [line] = read("a\u202eb\u200bc\n");
  expect(line!.filter(({ isMark }) => isMark).map(({ text }) => text)).toEqual(["U+202E", "U+200B"]);
});

test("output without line ends does not fill the memory", () => {
  const reader = terminalReader();
  for (let n = 0; n < 100; n++) reader.read("x".repeat(10_000));
  expect(textOf(reader.rest()).length).toBeLessThanOrEqual(20_000);
});

test("in whatever pieces output comes, it reads the same", () => {
  const part = fc.constantFrom(
    "a",
    "é",
    "\n",
    "\r",
    "\b",
    `${escapeChar}[31m`,
    `${escapeChar}[0m`,
    `${escapeChar}]0;t\u0007`,
    escapeChar,
    "[",
    "m",
    "\u202e",
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 40 }), fc.array(fc.nat(40)), (parts, cuts) => {
      const text = parts.join("");
      const places = [0, ...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length];
      const pieces = places.slice(1).map((end, index) => text.slice(places[index], end));
      expect(read(...pieces).map(textOf)).toEqual(read(text).map(textOf));
    }),
    { numRuns: 2000 },
  );
});
