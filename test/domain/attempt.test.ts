// Which ends of a run cost one of the job's runs.

import { expect, test } from "bun:test";
import { type AttemptResult, isCharged } from "../../src/domain/attempt.ts";

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
