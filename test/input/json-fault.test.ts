// Where broken JSON is broken: the place a person has to look at.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { jsonFault } from "../../src/input/json-fault.ts";

const parses = (text: string) => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

test.each([
  ["", "unexpected end at line 1, column 1"],
  ['{"command": "a"', "unexpected end at line 1, column 16"],
  ['{"command": }', "value expected at line 1, column 13"],
  ["{'command': 'a'}", "invalid symbol at line 1, column 2"],
  ['{"command": "a",}', "property name expected at line 1, column 17"],
  ['{"command": "a"}\u00a0', "invalid symbol at line 1, column 17"],
  ['{"command": "a"} x', "invalid symbol at line 1, column 18"],
  ['{\n  "command": "a",\n  "priority": high\n}', "invalid symbol at line 3, column 15"],
  ['{\r\n  "command": "a"\r\n  "id": "b"\r\n}', "comma expected at line 3, column 3"],
  ['{\n\n"command": "a"\n', "unexpected end at line 4, column 1"],
  ['{"command": "a" /* why */}', "invalid comment token at line 1, column 17"],
])("%j: %s", (text, fault) => {
  expect(jsonFault(text)).toBe(fault);
});

test("of one line of many it says just the column, for the line's number is the caller's", () => {
  expect(jsonFault('{"command": }', { oneOfMany: true })).toBe("value expected at column 13");
});

describe("of any broken text", () => {
  const json = fc.json({ maxDepth: 3 });
  const broken = fc
    .tuple(json, fc.nat(), fc.constantFrom("", "}", "]", ",", ":", '"', "\n", "x", "\\", "\0"))
    .map(([text, at, put]) => {
      const place = at % (text.length + 1);
      return text.slice(0, place) + put + text.slice(place + 1);
    })
    .filter((text) => !parses(text));

  test("it names a line and a column inside the text or right behind it", () => {
    fc.assert(
      fc.property(broken, (text) => {
        const [, line, column] = /^[a-z -]+ at line (\d+), column (\d+)$/.exec(jsonFault(text)) ?? [];
        const lines = text.split("\n");
        expect(Number(line)).toBeWithin(1, lines.length + 1);
        expect(Number(column)).toBeWithin(1, lines[Number(line) - 1]!.length + 2);
      }),
      { numRuns: 1000 },
    );
  });

  test("cut off at any place, the end is where it breaks", () => {
    const object = fc
      .dictionary(fc.string({ minLength: 1 }), fc.nat(), { minKeys: 1 })
      .map((value) => JSON.stringify(value));
    fc.assert(
      fc.property(object, fc.nat(), (text, cut) => {
        const part = text.slice(0, cut % text.length);
        expect(jsonFault(part)).toMatch(/^unexpected end |^unexpected end of string /);
      }),
    );
  });
});
