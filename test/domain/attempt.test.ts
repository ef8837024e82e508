// Which ends of a run cost one of the job's runs.

import { expect, test } from "bun:test";
import { type AttemptResult, endingOfNone, isCharged } from "../../src/domain/attempt.ts";
import { exitWords } from "../../src/domain/exit-words.ts";

test.each<AttemptResult>(["exited", "signalled", "timed_out", "not_started"])(
  "a run that ended as %s is charged",
  (result) => {
    expect(isCharged(result)).toBe(true);
  },
);

test.each<AttemptResult>(["released", "lost", "rebooted", "cancelled"])(
  "a run that ended as %s is not charged",
  (result) => {
    expect(isCharged(result)).toBe(false);
  },
);

test("status 127 is told as what shells mean by it: a script's file or interpreter may be what is missing", () => {
  expect(exitWords(127)).toBe("command or file not found");
});

test("an attempt that had no process took no time and printed nothing, and says why", () => {
  const why = { result: "not_started", exit_code: 127, error: "the directory /x does not exist" } as const;
  expect(endingOfNone(why)).toEqual({
    ...why,
    signal: null,
    note: null,
    duration: 0,
    cpu_time: null,
    peak_memory: null,
    log_bytes: 0,
    log_truncated: false,
    log_left_out: 0,
  });
});
