// What can be set: each setting's meaning and range, in one table.

import { defaultSettings, environmentName, knownVariables, settingKeys } from "./default-settings.ts";
import { misuse, Refusal } from "./errors.ts";
import { nearest } from "./nearest.ts";
import {
  choice,
  count,
  duration,
  names,
  number,
  type SettingRule,
  sender,
  size,
  smtpUrl,
} from "./setting-kinds.ts";

/** How queues share workers. */
type Sharing = (typeof sharings)[number];

const sharings = ["order", "fair"] as const;

export interface Settings {
  readonly max_retries: number;
  readonly backoff_base: number;
  /** Seconds. */
  readonly backoff_max: number;
  readonly backoff_jitter: number;
  /** Seconds, 0 for none. */
  readonly timeout: number;
  /** Seconds. */
  readonly poll_interval: number;
  readonly priority: number;
  /** Seconds. */
  readonly kill_grace: number;
  readonly max_lost: number;
  /** Seconds. */
  readonly lease: number;
  readonly sharing: Sharing;
  /** Bytes. */
  readonly log_limit: number;
  /** Part of it, 0 to 1. */
  readonly log_tail: number;
  /** Seconds, 0 to keep everything. */
  readonly retention: number;
  /** Seconds, 0 to keep them until they are purged. */
  readonly retention_dead: number;
  /** Names of variables. */
  readonly capture_env: readonly string[];
  /** Seconds, 0 for never. */
  readonly refresh_interval: number;
  /** Empty for none. */
  readonly smtp_url: string;
  /** Empty for none. */
  readonly mail_from: string;
}

export type SettingKey = keyof Settings;

const year = 366 * 86_400;

export const settingRules: { readonly [K in SettingKey]: SettingRule<Settings[K]> } = {
  max_retries: count("max_retries", "Retries after the first run of a new job", defaultSettings.max_retries, {
    min: 0,
    max: 1000,
  }),
  backoff_base: number(
    "backoff_base",
    "Base of the delay before retry n: base ^ n seconds",
    defaultSettings.backoff_base,
    {
      min: 0,
      max: 1000,
    },
  ),
  backoff_max: duration("backoff_max", "Longest delay before a retry", defaultSettings.backoff_max, {
    min: 0,
    max: 10 * year,
  }),
  backoff_jitter: number(
    "backoff_jitter",
    "Up to so many random seconds on top of each delay",
    defaultSettings.backoff_jitter,
    {
      min: 0,
      max: 1,
    },
  ),
  timeout: duration("timeout", "How long a new job may run; 0 for no limit", defaultSettings.timeout, {
    min: 0,
    max: 10 * year,
  }),
  poll_interval: duration(
    "poll_interval",
    "How often an idle worker looks for jobs unasked",
    defaultSettings.poll_interval,
    {
      min: 0.05,
      max: 3600,
    },
  ),
  priority: count("priority", "Priority of a new job; 5 runs first", defaultSettings.priority, {
    min: 1,
    max: 5,
  }),
  kill_grace: duration(
    "kill_grace",
    "Time between TERM and KILL when a command is ended",
    defaultSettings.kill_grace,
    {
      min: 0,
      max: 3600,
    },
  ),
  max_lost: count(
    "max_lost",
    "Losses in a row, by the death of its worker, that make a job dead; 0 for never",
    defaultSettings.max_lost,
    {
      min: 0,
      max: 1000,
    },
  ),
  lease: duration(
    "lease",
    "How long a worker may be silent on PostgreSQL before its jobs run elsewhere; for workers started from then on",
    defaultSettings.lease,
    { min: 6, max: 3600 },
  ),
  sharing: choice(
    "Which of equal priority runs next: the first enqueued (order), or one of the queue of which the fewest run (fair)",
    defaultSettings.sharing,
    sharings,
  ),
  log_limit: size("log_limit", "Most output kept of one attempt", defaultSettings.log_limit, {
    min: 1024,
    max: 1024 ** 4,
  }),
  log_tail: number(
    "log_tail",
    "Part of log_limit that is kept of the end of output of which there is more; the rest of it, of the beginning",
    defaultSettings.log_tail,
    { min: 0, max: 1 },
  ),
  retention: duration(
    "retention",
    "How long completed and cancelled jobs are kept; 0 for ever",
    defaultSettings.retention,
    {
      min: 0,
      max: 100 * year,
    },
  ),
  retention_dead: duration(
    "retention_dead",
    "How long dead letters are kept; 0 until they are purged",
    defaultSettings.retention_dead,
    {
      min: 0,
      max: 100 * year,
    },
  ),
  capture_env: names(
    "capture_env",
    "Variables of the one who enqueues that go along with the job",
    defaultSettings.capture_env,
  ),
  refresh_interval: duration(
    "refresh_interval",
    "How often the dashboard looks for news; 0 for never",
    defaultSettings.refresh_interval,
    {
      min: 0,
      max: 3600,
    },
  ),
  smtp_url: smtpUrl("The mail server for alerts by e-mail"),
  mail_from: sender("Who alerts by e-mail come from"),
};

/** The rule of a setting that is not known beforehand. */
export const ruleOf = (key: SettingKey) => settingRules[key] as SettingRule<Settings[SettingKey]>;

/** Names that earlier systems gave to the same settings. */
const aliases: ReadonlyMap<string, SettingKey> = new Map([
  ["max_retries_default", "max_retries"],
  ["base_backoff", "backoff_base"],
]);

/** The setting a name means (hyphens and underscores alike), or undefined. */
export function findSetting(name: string): SettingKey | undefined {
  const key = name.trim().toLowerCase().replaceAll("-", "_");
  return Object.hasOwn(settingRules, key) ? (key as SettingKey) : aliases.get(key);
}

/** The variable that one which nobody reads may have been meant to be. */
export function variableMeantBy(unknown: string): string | undefined {
  const bare = (name: string) => name.replace("QUEUECTL_", "");
  const near = nearest(bare(unknown), [...knownVariables].map(bare));
  return near && `QUEUECTL_${near}`;
}

/** A text from outside as a checked value of a setting; refuses what it does not accept. */
export function readSetting<K extends SettingKey>(key: K, text: string): Settings[K] {
  const rule: SettingRule<Settings[K]> = settingRules[key];
  const value = rule.parse(text.trim());
  if (value === undefined) {
    throw misuse(`${key} cannot be ${rule.isSecret ? "that" : JSON.stringify(text)}: it is ${rule.accepts}`);
  }
  rule.check(value, text.trim());
  return value;
}

/**
 * Where machines share a queue, the variables of the one who enqueues say nothing about the machine that runs the job, so none of
 * them go along unless asked for.
 */
export const sharedDefaults: Readonly<Record<string, string>> = { capture_env: "" };

/** Defaults, overlaid by stored texts, overlaid by `QUEUECTL_<KEY>` of the environment. */
export function effectiveSettings(
  stored: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string | undefined>>,
): Settings {
  const values = settingKeys.map((key) => {
    const name = environmentName(key);
    const overriding = environment[name];
    if (overriding !== undefined)
      return [key, told(`${name} in the environment`, () => readSetting(key, overriding))];
    const text = stored[key];
    if (text === undefined) return [key, settingRules[key].default];
    return [
      key,
      told("stored", () => readSetting(key, text), `queuectl config unset ${key} goes back to the default`),
    ];
  });
  return Object.fromEntries(values);
}

/** A setting's value for whoever asks; a secret as everybody may see it. */
export function shownSetting<K extends SettingKey>(key: K, value: Settings[K]): Settings[K] | string {
  const rule: SettingRule<Settings[K]> = settingRules[key];
  return rule.isSecret ? rule.show(value) : value;
}

/** All settings for showing. */
export const shownSettings = (settings: Settings): Record<string, unknown> =>
  Object.fromEntries(settingKeys.map((key) => [key, shownSetting(key, settings[key])]));

/** Adds to a refusal where the value came from. */
function told<T>(where: string, read: () => T, advice?: string): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw misuse(`${where}: ${error.message}`, advice ?? error.advice);
  }
}

/** The variables whose values are secrets. */
export const secretVariables = settingKeys.filter((key) => settingRules[key].isSecret).map(environmentName);
