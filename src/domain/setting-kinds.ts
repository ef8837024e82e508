// The kinds of values that settings have: how each is read from a text, checked, and shown.

import { durationForms, formatDuration, parseDuration } from "./duration.ts";
import { misuse } from "./errors.ts";
import { formatSize, parseSize } from "./size.ts";

export interface SettingRule<T> {
  readonly default: T;
  /** One sentence for people. */
  readonly about: string;
  /** What is accepted, for messages. */
  readonly accepts: string;
  /** The value a text means, or undefined. Its range is `check`'s business. */
  parse(text: string): T | undefined;
  /** Refuses a value out of range; `text` is what somebody wrote for it. */
  check(value: T, text?: string): void;
  /** The text `config get` prints; `parse` reads it back to the same value. */
  print(value: T): string;
  /** A friendlier text for tables; of a secret, what everybody may see. */
  show(value: T): string;
  /** Whether it is shown to nobody, neither as it is stored nor in a message. */
  readonly isSecret?: true;
}

interface Range {
  readonly min: number;
  readonly max: number;
}

/** Refuses what is of another kind or out of range. */
const within =
  (key: string, { min, max }: Range, accepts: string, isOfKind: (value: number) => boolean) =>
  (value: number, text = String(value)): void => {
    if (!isOfKind(value) || value < min || value > max)
      throw misuse(`${key} cannot be ${text}: it is ${accepts}`);
  };

export function number(key: string, about: string, byDefault: number, range: Range): SettingRule<number> {
  const accepts = `a number from ${range.min} to ${range.max}`;
  return {
    default: byDefault,
    about,
    accepts,
    // The exponent is how `print` writes what is below a millionth.
    parse: (text) => (/^-?\d+(\.\d+)?(e-\d+)?$/.test(text) ? Number(text) : undefined),
    check: within(key, range, accepts, Number.isFinite),
    print: String,
    show: String,
  };
}

export function count(key: string, about: string, byDefault: number, range: Range): SettingRule<number> {
  const accepts = `a whole number from ${range.min} to ${range.max}`;
  const rule = number(key, about, byDefault, range);
  return {
    ...rule,
    accepts,
    check: within(key, range, accepts, Number.isInteger),
  };
}

export function duration(key: string, about: string, byDefault: number, range: Range): SettingRule<number> {
  const rule = number(key, about, byDefault, range);
  const accepts = `${durationForms}, from ${range.min} s to ${formatDuration(range.max)}`;
  return {
    ...rule,
    accepts,
    parse: (text) => parseDuration(text) ?? rule.parse(text),
    check: within(key, range, accepts, Number.isFinite),
    show: (value) => (value === 0 ? "0" : formatDuration(value)),
  };
}

export function size(key: string, about: string, byDefault: number, range: Range): SettingRule<number> {
  const accepts = `a size in bytes such as 1048576, 512KiB or 100MiB, from ${formatSize(range.min)} to ${formatSize(range.max)}`;
  return {
    default: byDefault,
    about,
    accepts,
    parse: parseSize,
    check: within(key, range, accepts, Number.isSafeInteger),
    print: String,
    show: formatSize,
  };
}

export function names(
  key: string,
  about: string,
  byDefault: readonly string[],
): SettingRule<readonly string[]> {
  const accepts = "names of environment variables with commas between, or nothing";
  return {
    default: byDefault,
    about,
    accepts,
    parse: (text) =>
      text
        .split(",")
        .map((name) => name.trim())
        .filter((name) => name !== ""),
    check: (value) => {
      const bad = value.find((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
      if (bad !== undefined) throw misuse(`${key} cannot contain ${JSON.stringify(bad)}: it is ${accepts}`);
    },
    print: (value) => value.join(","),
    show: (value) => value.join(","),
  };
}

/** One of a few words. */
export function choice<T extends string>(about: string, byDefault: T, words: readonly T[]): SettingRule<T> {
  return {
    default: byDefault,
    about,
    accepts: words.join(" or "),
    parse: (text) => words.find((known) => known === text),
    check() {},
    print: String,
    show: String,
  };
}

function text(about: string, accepts: string): SettingRule<string> {
  return {
    default: "",
    about,
    accepts: `${accepts}; nothing for none`,
    parse: (text) => text,
    check: () => {},
    print: (value) => value,
    show: (value) => value || "none",
  };
}

/** A secret: it may hold a password. */
export function smtpUrl(about: string): SettingRule<string> {
  return {
    ...text(about, "smtp://user:password@host:587, or smtps:// and port 465"),
    parse: (text) => (text === "" || isSmtpUrl(text) ? text : undefined),
    show: shownSmtpUrl,
    isSecret: true,
  };
}

function isSmtpUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^smtps?:$/.test(url.protocol) && url.hostname !== "";
}

/** The server alone. */
function shownSmtpUrl(value: string): string {
  const url = URL.parse(value);
  if (!url) return "none";
  return `${url.protocol}//${url.username || url.password ? "***@" : ""}${url.host}`;
}

export function sender(about: string): SettingRule<string> {
  return {
    ...text(about, "an address such as queue@example.org, or Queue <queue@example.org>"),
    parse: (text) => (text === "" || /^[^\p{Cc}]*[^\s@<>]+@[^\s@<>]+>?$/u.test(text) ? text : undefined),
  };
}
