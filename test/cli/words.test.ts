// The words a user typed, as cac is given them: nothing guessed, nothing changed.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { unmark } from "../../src/cli/words.ts";
import { Refusal } from "../../src/domain/errors.ts";
import { understood as understoodOf } from "../support/vocabulary.ts";

const understood = (...typed: string[]) => understoodOf(typed);

function refusal(...typed: string[]): Refusal {
  try {
    understood(...typed);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error(`accepted: ${typed.join(" ")}`);
}

describe("a command", () => {
  test.each([
    [["list"], "list"],
    [["worker", "stop"], "worker stop"],
    [["dlq", "retry-all"], "dlq retry-all"],
    [["config", "list"], "config show"],
    [["--json", "list"], "list"],
    [["--json", "dlq", "list"], "dlq list"],
  ])("%j is %s", (typed, command) => {
    expect(understood(...typed).command).toBe(command);
  });

  test("of a group that means one alone may go without its second word", () => {
    expect(understood("worker").command).toBe("worker start");
    expect(understood("worker", "--count", "2")).toMatchObject({
      command: "worker start",
      options: { count: "2" },
    });
  });

  test("of a group that means none alone needs its second word, and the message lists them", () => {
    expect(refusal("dlq").message).toBe("dlq needs a second word");
    expect(refusal("dlq").advice).toBe("queuectl dlq list|retry|retry-all");
    expect(refusal("config", "--json").message).toBe("config needs a second word");
  });

  test("is not needed for help and version", () => {
    expect(understood("--help")).toMatchObject({ command: undefined, options: { help: true } });
    expect(understood()).toMatchObject({ command: undefined, words: [] });
  });

  test("that is unknown is refused with the nearest one", () => {
    expect(refusal("lst")).toMatchObject({
      kind: "usage",
      message: 'there is no command "lst"',
      advice: "did you mean list?",
    });
    expect(refusal("xyzzy").advice).toBe("queuectl --help lists the commands");
  });

  test("whose second word is unknown is refused with the nearest one, or all", () => {
    expect(refusal("dlq", "rety", "x")).toMatchObject({
      message: 'there is no command "dlq rety"',
      advice: "did you mean retry?",
    });
    expect(refusal("worker", "xyzzy").advice).toBe("queuectl worker start|stop");
  });

  test.each(["start", "constructor", "__proto__", "toString", ""])("%j is none", (typed) => {
    expect(refusal(typed).message).toBe(`there is no command ${JSON.stringify(typed)}`);
  });
});

describe("a value", () => {
  test.each(["007", "1e3", "0x10", "1.0", "true", "null", "", " ", "-1", "-.5", "a=b", "[1]", "{}", "ä\n"])(
    "%j stays the text it was, in one word or two",
    (value) => {
      expect(understood("enqueue", "--id", value).options.id).toBe(value);
      expect(understood("enqueue", `--id=${value}`).options.id).toBe(value);
    },
  );

  test("that begins with a hyphen must be joined, lest a forgotten one eats the next option", () => {
    expect(refusal("enqueue", "x", "--id", "--json").message).toBe("--id needs a value: --id <id>");
    expect(understood("enqueue", "--id=--json").options).toMatchObject({ id: "--json" });
  });

  test("that is missing at the end is refused", () => {
    expect(refusal("enqueue", "x", "--id").message).toBe("--id needs a value: --id <id>");
    expect(refusal("enqueue", "--id", "--", "x").message).toBe("--id needs a value: --id <id>");
  });

  test("is not taken by a flag that has none", () => {
    expect(understood("enqueue", "--json", "true")).toMatchObject({
      words: ["true"],
      options: { json: true },
    });
    expect(refusal("enqueue", "x", "--json=yes").message).toBe("--json takes no value");
  });

  test("of an option that may be repeated comes with all others, in order", () => {
    expect(understood("enqueue", "x", "--tag", "007", "--tag=b").options.tag).toEqual(["007", "b"]);
  });

  test("may be the name of a command", () => {
    expect(understood("worker", "--count", "stop")).toMatchObject({
      command: "worker start",
      options: { count: "stop" },
    });
  });
});

describe("an option", () => {
  test("with a value may stand before, between and behind the words", () => {
    const orders = [
      ["enqueue", "--id", "a", "x", "y"],
      ["enqueue", "x", "--id", "a", "y"],
      ["enqueue", "x", "y", "--id", "a"],
    ];
    for (const typed of orders) {
      expect(understood(...typed)).toMatchObject({
        command: "enqueue",
        words: ["x", "y"],
        options: { id: "a" },
      });
    }
  });

  test("of another command is refused, with the nearest of this one", () => {
    expect(refusal("list", "--stat", "dead")).toMatchObject({
      message: "there is no option --stat",
      advice: "did you mean --state?",
    });
    expect(refusal("list", "--count", "2").message).toBe("there is no option --count");
  });

  test("of one letter is no misspelt other one", () => {
    expect(refusal("list", "-n", "2")).toMatchObject({
      message: "there is no option -n",
      advice: "queuectl list --help lists them",
    });
  });

  test("that nothing resembles is refused with where to look", () => {
    expect(refusal("config", "show", "--frobnicate").advice).toBe("queuectl config show --help lists them");
    expect(refusal("--frobnicate").advice).toBe("queuectl --help lists them");
  });

  test.each(["--constructor", "--__proto__", "--no-json", "---json", "-j"])("%s is none", (typed) => {
    expect(refusal("enqueue", "x", typed).message).toBe(`there is no option ${typed}`);
  });
});

describe("words", () => {
  test("keep their order and their spelling", () => {
    expect(understood("enqueue", "007", "1e3", "-", "", "a=b").words).toEqual(["007", "1e3", "-", "", "a=b"]);
  });

  test("behind -- are taken as they are, whatever they look like", () => {
    expect(understood("enqueue", "--id", "a", "--", "rm", "--id", "-rf", "--", "007").options.dashed).toEqual(
      ["rm", "--id", "-rf", "--", "007"],
    );
  });

  test("that are names of commands are words behind the first", () => {
    expect(understood("enqueue", "list", "worker").words).toEqual(["list", "worker"]);
  });
});

describe("whatever the text", () => {
  // No word of a process can contain NUL.
  const text = fc.string({ unit: "grapheme" }).map((some) => some.replaceAll("\0", ""));

  test("a value, a word and a word behind -- come out as they went in", () => {
    fc.assert(
      fc.property(text, text, fc.array(text), (value, plain, dashed) => {
        const word = plain.replace(/^-+/, "");
        const found = understood("enqueue", word, `--id=${value}`, "--tag", `t${value}`, "--", ...dashed);
        expect(found).toMatchObject({ command: "enqueue", words: [word], options: { id: value } });
        expect(found.options.tag).toEqual([`t${value}`]);
        expect(found.options.dashed).toEqual(dashed);
      }),
      { numRuns: 500 },
    );
  });
});

test("marks are taken off wherever they are, and nothing else is", () => {
  expect(unmark({ a: "\x007", b: ["\0x", "y"], c: true, d: 7, e: "a\0b" })).toEqual({
    a: "7",
    b: ["x", "y"],
    c: true,
    d: 7,
    e: "a\0b",
  });
});
