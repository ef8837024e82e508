// Settings: their names, ranges and texts.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { areDefaults, environmentName, settingKeys } from "../../src/domain/default-settings.ts";
import { Refusal } from "../../src/domain/errors.ts";
import type { SettingRule } from "../../src/domain/setting-kinds.ts";
import {
  effectiveSettings,
  findSetting,
  readSetting,
  type SettingKey,
  type Settings,
  settingRules,
} from "../../src/domain/settings.ts";
import { formatSize } from "../../src/domain/size.ts";

const rule = (key: SettingKey) => settingRules[key] as SettingRule<Settings[SettingKey]>;

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true }).map((value) => value + 0);
const count = (min: number, max: number) => fc.integer({ min, max });
const year = 366 * 86_400;

/** Every value that a setting may have. */
const values: { readonly [K in SettingKey]: fc.Arbitrary<Settings[K]> } = {
  max_retries: count(0, 1000),
  backoff_base: number(0, 1000),
  backoff_max: number(0, 10 * year),
  backoff_jitter: number(0, 1),
  timeout: number(0, 10 * year),
  poll_interval: number(0.05, 3600),
  priority: count(1, 5),
  kill_grace: number(0, 3600),
  max_lost: count(0, 1000),
  lease: number(6, 3600),
  sharing: fc.constantFrom("order", "fair"),
  log_limit: count(1024, 1024 ** 4),
  log_tail: number(0, 1),
  retention: number(0, 100 * year),
  retention_dead: number(0, 100 * year),
  capture_env: fc.array(fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,20}$/), { maxLength: 8 }),
  refresh_interval: number(0, 3600),
  smtp_url: fc.constantFrom("", "smtp://mail.example.org", "smtps://me:p%40ss@[::1]:465/?name=x"),
  mail_from: fc.constantFrom("", "q@example.org", "The Queue <q@example.org>"),
};

describe("defaults", () => {
  test("are the documented ones", () => {
    expect(effectiveSettings({}, {})).toMatchObject({
      max_retries: 3,
      backoff_base: 2,
      backoff_max: 3600,
      backoff_jitter: 0,
      timeout: 3600,
      poll_interval: 1,
      priority: 1,
      kill_grace: 5,
      max_lost: 3,
      log_limit: 104_857_600,
      log_tail: 0.5,
      retention: 2_592_000,
      retention_dead: 0,
      capture_env: ["PATH", "LANG", "LC_ALL", "VIRTUAL_ENV"],
    });
  });

  test.each(settingKeys)("that of %s is in its own range", (key) => {
    expect(() => rule(key).check(rule(key).default)).not.toThrow();
  });
});

describe.each(settingKeys)("%s", (key) => {
  test("printed and read again is the same value", () => {
    fc.assert(
      fc.property(values[key] as fc.Arbitrary<Settings[SettingKey]>, (value) => {
        expect(readSetting(key, rule(key).print(value))).toEqual(value);
      }),
    );
  });

  test("is shown and printed in one line", () => {
    fc.assert(
      fc.property(values[key] as fc.Arbitrary<Settings[SettingKey]>, (value) => {
        for (const text of [rule(key).show(value), rule(key).print(value)])
          expect(text).toMatch(/^[\x20-\x7e]*$/);
      }),
    );
  });

  test("is found by its own name, in capitals, with hyphens, and with blanks around", () => {
    const spellings = [key, key.toUpperCase(), key.replaceAll("_", "-"), ` ${key}\n`];
    expect(spellings.map(findSetting)).toEqual(spellings.map(() => key));
  });
});

describe("names", () => {
  test.each([
    ["max_retries_default", "max_retries"],
    ["max-retries-default", "max_retries"],
    ["base_backoff", "backoff_base"],
    ["base-backoff", "backoff_base"],
    ["backoff-base", "backoff_base"],
  ])("%s, of an earlier system, is %s", (name, key) => {
    expect(findSetting(name)).toBe(key as SettingKey);
  });

  test.each([
    "",
    "colour",
    "max retries",
    "maxretries",
    "constructor",
    "__proto__",
    "valueOf",
    "has-own-property",
  ])("%j is no setting", (name) => {
    expect(findSetting(name)).toBeUndefined();
  });

  test("of variables are the setting's in capitals", () => {
    expect(environmentName("max_retries")).toBe("QUEUECTL_MAX_RETRIES");
  });

  test("of variables never collide with those a job is given", () => {
    const ofJobs = ["QUEUECTL_HOME", "QUEUECTL_JOB_ID", "QUEUECTL_ATTEMPT", "QUEUECTL_QUEUE"];
    expect(settingKeys.map(environmentName).filter((name) => ofJobs.includes(name))).toEqual([]);
  });
});

describe("a value out of range is refused with the range", () => {
  test.each<[SettingKey, string, string]>([
    ["max_retries", "-1", "a whole number from 0 to 1000"],
    ["max_retries", "1001", "a whole number from 0 to 1000"],
    ["max_retries", "1.5", "a whole number from 0 to 1000"],
    ["backoff_base", "-0.1", "a number from 0 to 1000"],
    ["backoff_base", "1000.1", "a number from 0 to 1000"],
    ["backoff_max", "-1", "from 0 s to 3660d"],
    ["backoff_max", "523w", "from 0 s to 3660d"],
    ["backoff_jitter", "1.01", "a number from 0 to 1"],
    ["timeout", "-5", "from 0 s to 3660d"],
    ["poll_interval", "0", "from 0.05 s to 1h"],
    ["poll_interval", "49ms", "from 0.05 s to 1h"],
    ["poll_interval", "61m", "from 0.05 s to 1h"],
    ["priority", "0", "a whole number from 1 to 5"],
    ["priority", "6", "a whole number from 1 to 5"],
    ["kill_grace", "3601", "from 0 s to 1h"],
    ["max_lost", "1001", "a whole number from 0 to 1000"],
    ["log_limit", "1023", "from 1 KiB to 1 TiB"],
    ["log_limit", "2T", "from 1 KiB to 1 TiB"],
    ["log_tail", "1.1", "a number from 0 to 1"],
    ["retention", "36601d", "from 0 s to 36600d"],
    ["capture_env", "PATH,1X", "names of environment variables with commas between"],
  ])("%s %s", (key, text, range) => {
    expect(() => readSetting(key, text)).toThrow(Refusal);
    expect(() => readSetting(key, text)).toThrow(`${key} cannot`);
    expect(() => readSetting(key, text)).toThrow(range);
  });

  test("also a number beyond all numbers", () => {
    const keys = settingKeys.filter((key) => typeof rule(key).default === "number");
    const nines = "9".repeat(400);
    for (const key of keys)
      expect(() => readSetting(key, nines)).toThrow(`${key} cannot be ${nines}: it is ${rule(key).accepts}`);
  });

  test("also just beside it", () => {
    const outside = fc.oneof(number(1000.0001, 1e300), number(-1e300, -0.0001));
    fc.assert(
      fc.property(outside, (value) =>
        expect(() => settingRules.backoff_base.check(value)).toThrow("from 0 to 1000"),
      ),
    );
  });
});

test.each<[SettingKey, string]>([
  ["max_retries", ""],
  ["max_retries", "three"],
  ["max_retries", "0x3"],
  ["max_retries", "1e2"],
  ["max_retries", "3 4"],
  ["max_retries", "NaN"],
  ["priority", "high"],
  ["backoff_base", "2,5"],
  ["backoff_base", "Infinity"],
  ["timeout", "abc"],
  ["timeout", "10x"],
  ["timeout", ""],
  ["log_limit", "-1"],
  ["log_limit", "10 apples"],
])("%s cannot be %j, and the message says what it can be", (key, text) => {
  expect(() => readSetting(key, text)).toThrow(Refusal);
  expect(() => readSetting(key, text)).toThrow(
    `${key} cannot be ${JSON.stringify(text)}: it is ${rule(key).accepts}`,
  );
});

test.each([
  ["retention", "200000d"],
  ["log_limit", "2TiB"],
  ["max_retries", "-1"],
] as const)("%s cannot be %s, and the message has it as it was written", (key, text) => {
  expect(() => readSetting(key, text)).toThrow(`${key} cannot be ${text}: it is ${rule(key).accepts}`);
});

describe("texts", () => {
  test.each<[SettingKey, string, Settings[SettingKey]]>([
    ["max_retries", " 5 ", 5],
    ["max_retries", "007", 7],
    ["backoff_base", "1.5", 1.5],
    ["backoff_base", "0.0000001", 1e-7],
    ["timeout", "1h30m", 5400],
    ["timeout", "0", 0],
    ["poll_interval", "50ms", 0.05],
    ["retention", "30d", 2_592_000],
    ["log_limit", "1048576", 1_048_576],
    ["log_limit", "512KiB", 524_288],
    ["log_limit", "1.5m", 1_572_864],
    ["log_limit", "2 GB", 2_147_483_648],
    ["log_limit", "4096B", 4096],
    ["capture_env", " PATH , HOME,, ", ["PATH", "HOME"]],
    ["capture_env", "", []],
  ])("of %s: %j is understood", (key, text, value) => {
    expect(readSetting(key, text)).toEqual(value);
  });

  test("sizes are shown in the largest fitting unit", () => {
    expect([0, 512, 1024, 1536, 100 * 1024 ** 2, 1024 ** 4].map(formatSize)).toEqual([
      "0 B",
      "512 B",
      "1 KiB",
      "1.5 KiB",
      "100 MiB",
      "1 TiB",
    ]);
  });

  test("durations are shown for people and printed as seconds", () => {
    expect(settingRules.timeout.show(5400)).toBe("1h 30m");
    expect(settingRules.timeout.show(0)).toBe("0");
    expect(settingRules.timeout.print(5400)).toBe("5400");
  });
});

describe("what is in effect", () => {
  test("is the environment's, else the stored, else the default", () => {
    const stored = { max_retries: "5", priority: "4" };
    const settings = effectiveSettings(stored, { QUEUECTL_MAX_RETRIES: "7", QUEUECTL_TIMEOUT: undefined });
    expect(settings).toMatchObject({ max_retries: 7, priority: 4, timeout: 3600 });
  });

  test("is not touched by variables a job is given", () => {
    const job = {
      QUEUECTL_QUEUE: "mail",
      QUEUECTL_JOB_ID: "x",
      QUEUECTL_ATTEMPT: "9",
      QUEUECTL_HOME: "/tmp",
    };
    expect(effectiveSettings({}, job)).toEqual(effectiveSettings({}, {}));
  });

  test("is refused when a variable of the environment is wrong", () => {
    expect(() => effectiveSettings({}, { QUEUECTL_PRIORITY: "9" })).toThrow("priority cannot be 9");
  });

  test("leaves stored keys alone that this version does not know", () => {
    expect(effectiveSettings({ of_tomorrow: "1" }, {})).toEqual(effectiveSettings({}, {}));
  });
});

test("settings are the defaults as long as nobody has stored one, or has it in the environment", () => {
  expect(areDefaults({}, { PATH: "/bin", QUEUECTL_HOME: "/home" })).toBeTrue();
  for (const key of settingKeys) {
    expect(areDefaults({ [key]: "1" }, {})).toBeFalse();
    expect(areDefaults({}, { [environmentName(key)]: "1" })).toBeFalse();
  }
});
