// Whatever text comes from outside, it is understood or refused: nothing but a Refusal is thrown, and what was understood keeps
// its rules. FUZZ_RUNS sets how many texts each parser is given.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { settingKeys } from "../../src/domain/default-settings.ts";
import { parseDuration } from "../../src/domain/duration.ts";
import { Refusal } from "../../src/domain/errors.ts";
import { type JobRequest, newJob } from "../../src/domain/job.ts";
import type { SettingRule } from "../../src/domain/setting-kinds.ts";
import {
  effectiveSettings,
  findSetting,
  readSetting,
  type SettingKey,
  type Settings,
  settingRules,
} from "../../src/domain/settings.ts";
import { isoTime, parseIso, parseTime } from "../../src/domain/time.ts";
import { readJob } from "../../src/input/job.ts";
import { readJobs } from "../../src/input/job-lines.ts";
import { jsonFault } from "../../src/input/json-fault.ts";
import { understood } from "../support/vocabulary.ts";

const numRuns = Number(process.env.FUZZ_RUNS ?? 500);
const patienceMs = 30_000 + numRuns * 20;

const defaults = { max_retries: 3, priority: 1, timeout: 3600, cwd: "/", env: { PATH: "/bin" } };
const now = Date.UTC(2026, 0, 1);
const year9999 = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

const anyText = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary" }),
  fc.string({
    unit: fc.constantFrom(
      "\0",
      "\n",
      "\r",
      "\t",
      "\x1b",
      "\x7f",
      "\u2028",
      "\ufeff",
      "\ud800",
      "٣",
      "é",
      "💡",
    ),
  }),
);

/** Something right with one place changed: what a person or a broken program writes. */
const mutated = (right: fc.Arbitrary<string>) =>
  fc
    .tuple(
      right,
      fc.array(fc.tuple(fc.nat(), fc.constantFrom("cut", "put", "double", "drop"), anyText), {
        maxLength: 3,
      }),
    )
    .map(([text, changes]) =>
      changes.reduce((changed, [place, kind, other]) => {
        const at = place % (changed.length + 1);
        if (kind === "cut") return changed.slice(0, at);
        if (kind === "put") return changed.slice(0, at) + other + changed.slice(at);
        if (kind === "double") return changed.slice(0, at) + changed.slice(Math.max(0, at - 3));
        return changed.slice(0, at) + changed.slice(at + 1);
      }, text),
    );

const number = fc.oneof(
  fc.integer().map(String),
  fc.double().map(String),
  fc.constantFrom(
    "-0",
    "00",
    "1e400",
    "1e-400",
    "9".repeat(400),
    "0x1f",
    "1_000",
    "1,5",
    "Infinity",
    "NaN",
    "+1",
  ),
);

const durations = fc
  .array(fc.tuple(number, fc.constantFrom("", "ms", "s", "m", "h", "d", "w", "y", " ")), { maxLength: 4 })
  .map((parts) => parts.map((part) => part.join("")).join(""));

const times = fc.oneof(
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc
    .tuple(
      fc.nat(10_000),
      fc.nat(14),
      fc.nat(32),
      fc.nat(25),
      fc.nat(61),
      fc.constantFrom("", "Z", "+14:59", "-23:00", "+1"),
    )
    .map(([year, month, day, hour, minute, offset]) => {
      const two = (value: number) => String(value).padStart(2, "0");
      return `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}${offset}`;
    }),
  durations.map((duration) => `+${duration}`),
);

const settingTexts = fc.oneof(
  number,
  durations,
  fc.tuple(number, fc.constantFrom("", "k", "MiB", " GB", "T", "ib")).map((parts) => parts.join("")),
  fc.constant("PATH,LANG, LC_ALL"),
);

const jobKeys = [
  "command",
  "id",
  "max_retries",
  "priority",
  "timeout",
  "queue",
  "tags",
  "cwd",
  "env",
  "run_at",
  "state",
  "created_at",
  "next_retry_at",
  "attempts_history",
  "__proto__",
  "constructor",
  "comand",
];

const jsonValue = fc.oneof(
  anyText,
  fc.integer(),
  fc.double(),
  fc.jsonValue(),
  times,
  fc.array(anyText),
  fc.dictionary(anyText, anyText),
);

/** Objects like jobs: a command nearly always, and other keys with values that may fit. */
const jobTexts = fc
  .tuple(
    fc.option(anyText, { freq: 8, nil: undefined }),
    fc.array(fc.tuple(fc.constantFrom(...jobKeys), jsonValue), { maxLength: 5 }),
  )
  .map(([command, entries]) => {
    const all = command === undefined ? entries : [["command", command] as const, ...entries];
    return `{${all.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`;
  });

const fileTexts = fc
  .tuple(
    fc.array(jobTexts, { maxLength: 4 }),
    fc.constantFrom("\n", "\r\n", ",", "\n\n", " "),
    fc.constantFrom("lines", "array"),
    fc.boolean(),
  )
  .map(
    ([jobs, between, form, marked]) =>
      (marked ? "\ufeff" : "") + (form === "array" ? `[${jobs.join(between)}]` : jobs.join(between)),
  );

const words = fc
  .oneof(
    fc.constantFrom(
      "enqueue",
      "list",
      "show",
      "worker",
      "start",
      "stop",
      "dlq",
      "retry",
      "retry-all",
      "config",
      "set",
      "help",
      "x",
    ),
    fc.constantFrom(
      "--id",
      "--id=",
      "--tag=a",
      "--json",
      "--json=1",
      "--max_retries",
      "--help",
      "-h",
      "-v",
      "--",
      "-",
      "",
      "-1",
      "---",
    ),
    mutated(fc.constantFrom("--max-retries=3", "enqueue", "worker", "--state")),
    anyText,
  )
  .map((word) => word.replaceAll("\0", ""));

/** The value, or undefined when it was refused in a proper way. Anything else that is thrown fails the test. */
function understoodOrRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    checkRefusal(error);
    return undefined;
  }
}

function checkRefusal(error: unknown): void {
  if (!(error instanceof Refusal)) throw error;
  expect(error.kind).toBe("usage");
  expect(error.message).not.toBe("");
}

function fuzz<T>(what: string, texts: fc.Arbitrary<T>, check: (text: T) => void | Promise<void>): void {
  test(
    what,
    async () => {
      await fc.assert(
        fc.asyncProperty(texts, async (text) => check(text)),
        { numRuns },
      );
    },
    patienceMs,
  );
}

const near = (right: fc.Arbitrary<string>) => fc.oneof(right, mutated(right), anyText);

describe("any text", () => {
  fuzz("as a duration is a finite number of seconds from 0, or none", near(durations), (text) => {
    const seconds = parseDuration(text);
    if (seconds === undefined) return;
    expect(seconds).toBeFinite();
    expect(seconds).toBeGreaterThanOrEqual(0);
    expect(text).toMatch(/^[0-9.a-z]+$/);
  });

  fuzz("as an ISO 8601 time is a moment that can be written, or none", near(times), (text) => {
    for (const local of [true, false]) {
      const moment = parseIso(text, { local });
      if (moment === undefined) continue;
      expect(moment).toBeWithin(0, year9999 + 1);
      expect(parseIso(isoTime(moment), { local: false })).toBe(moment);
    }
  });

  fuzz("as a typed time is a moment that can be written, or none", near(times), (text) => {
    const moment = parseTime(text, now);
    if (moment === undefined) return;
    expect(Number.isInteger(moment)).toBe(true);
    expect(moment).toBeWithin(0, year9999 + 1);
  });

  fuzz(
    "as the name of a setting is a setting or none",
    near(fc.constantFrom<string>(...settingKeys)),
    (text) => {
      expect([...settingKeys, undefined]).toContain(findSetting(text));
    },
  );

  fuzz(
    "in the environment and the store is settings or refused",
    fc.dictionary(fc.constantFrom(...settingKeys), near(settingTexts)),
    (texts) => {
      const environment = Object.fromEntries(
        Object.entries(texts).map(([key, text]) => [`QUEUECTL_${key.toUpperCase()}`, text]),
      );
      understoodOrRefused(() => effectiveSettings(texts, {}));
      understoodOrRefused(() => effectiveSettings({}, environment));
    },
  );

  fuzz("as one job is a job or refused", near(jobTexts), (text) => {
    const request = understoodOrRefused(() => readJob(text));
    if (request) checkJob(request);
  });

  fuzz("as JSON that breaks has a place", near(jobTexts), (text) => {
    expect(jsonFault(text)).toMatch(/^it cannot be read$|^[a-z -]+ at line \d+, column \d+$/);
  });

  fuzz("as a file is jobs or refused", fc.tuple(near(fileTexts), fc.nat(50)), async ([text, size]) => {
    await checkFile(Buffer.from(text), size + 1);
  });

  fuzz("as words is a command, words and options or refused", fc.array(words, { maxLength: 6 }), (typed) => {
    const read = understoodOrRefused(() => understood(typed));
    if (!read) return;
    const dashes = typed.indexOf("--");
    expect(read.options.dashed).toEqual(dashes < 0 ? [] : typed.slice(dashes + 1));
    for (const word of read.words) expect(typed).toContain(word);
  });
});

describe.each(settingKeys)("any text as %s", (key) => {
  const rule = settingRules[key] as SettingRule<Settings[SettingKey]>;

  fuzz(
    "is a value in its range that can be printed and read again, or refused",
    near(settingTexts),
    (text) => {
      const value = understoodOrRefused(() => readSetting(key, text));
      if (value === undefined) return;
      expect(() => rule.check(value)).not.toThrow();
      expect(rule.print(readSetting(key, rule.print(value)))).toBe(rule.print(value));
      expect(rule.show(value)).toBeString();
    },
  );
});

fuzz(
  "any bytes as a file are jobs or refused",
  fc.tuple(fc.uint8Array({ maxLength: 200 }), fc.nat(50)),
  async ([bytes, size]) => {
    await checkFile(bytes, size + 1);
  },
);

fuzz(
  "any request is a new job that keeps its rules, or refused",
  fc.record(
    {
      command: anyText,
      id: anyText,
      max_retries: fc.oneof(fc.double(), fc.integer({ min: -1, max: 6 })),
      priority: fc.oneof(fc.double(), fc.integer({ min: -1, max: 6 })),
      timeout: fc.oneof(fc.double(), fc.integer({ min: -1, max: 6 })),
      queue: anyText,
      tags: fc.array(anyText),
      cwd: fc.oneof(
        anyText,
        anyText.map((text) => `/${text}`),
      ),
      env: fc.dictionary(fc.oneof(anyText, fc.constantFrom("A", "PATH", "__proto__")), anyText),
      run_at: fc.integer(),
    },
    { requiredKeys: ["command"] },
  ),
  checkJob,
);

function checkJob(request: JobRequest): void {
  const job = understoodOrRefused(() => newJob(request, defaults));
  if (!job) return;
  expect(job.command).toBe(request.command);
  expect(job.max_retries).toBeWithin(0, 1001);
  expect([1, 2, 3, 4, 5]).toContain(job.priority);
  expect(job.timeout).toBeGreaterThanOrEqual(0);
  expect([job.command, job.cwd, ...Object.values(job.env)].some((text) => text.includes("\0"))).toBe(false);
}

async function checkFile(bytes: Uint8Array, size: number): Promise<void> {
  async function* pieces(): AsyncIterable<Uint8Array> {
    for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
  }
  try {
    for await (const { request } of readJobs(pieces())) checkJob(request);
  } catch (error) {
    checkRefusal(error);
  }
}
