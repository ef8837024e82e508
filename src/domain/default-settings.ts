// What each setting is where nobody has said anything: apart from what may be said, so that who asks for no more loads no more.

import type { SettingKey, Settings } from "./settings.ts";

export const defaultSettings: Settings = {
  max_retries: 3,
  backoff_base: 2,
  backoff_max: 3600,
  backoff_jitter: 0,
  timeout: 3600,
  poll_interval: 1,
  priority: 1,
  kill_grace: 5,
  max_lost: 3,
  lease: 30,
  sharing: "order",
  log_limit: 100 * 1024 ** 2,
  log_tail: 0.5,
  retention: 30 * 86_400,
  retention_dead: 0,
  capture_env: ["PATH", "LANG", "LC_ALL", "VIRTUAL_ENV"],
  refresh_interval: 2,
  smtp_url: "",
  mail_from: "",
};

export const settingKeys = Object.keys(defaultSettings) as SettingKey[];

/** The variable that overrides a setting, such as `QUEUECTL_MAX_RETRIES`. */
export const environmentName = (key: SettingKey) => `QUEUECTL_${key.toUpperCase()}`;

/** Settings, what else is read, and what jobs and alerts find in their environment. */
export const knownVariables: ReadonlySet<string> = new Set([
  ...settingKeys.map(environmentName),
  ...["HOME", "DATABASE_URL", "LISTEN_URL", "JOB_ID", "ATTEMPT", "QUEUE", "RUN"].map(
    (name) => `QUEUECTL_${name}`,
  ),
  ...["ALERT", "DELIVERY_ID", "EVENT", "TEXT"].map((name) => `QUEUECTL_${name}`),
]);

/** A variable that is named as if it were read, and is not. */
export const unknownVariable = (environment: Readonly<Record<string, string | undefined>>) =>
  Object.keys(environment).find((name) => name.startsWith("QUEUECTL_") && !knownVariables.has(name));

/** Whether nobody has said anything: neither stored, nor in the environment. */
export const areDefaults = (
  stored: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string | undefined>>,
) => settingKeys.every((key) => stored[key] === undefined && environment[environmentName(key)] === undefined);
