// A job of which nothing is said but its command, as `newJob` makes it of that, and what its process can be given: its text, its
// directory and its environment. Apart from all that can be said otherwise.

import { misuse, shown } from "./errors.ts";
import type { Enqueuer, JobDefaults, NewJob } from "./job.ts";
import type { Settings } from "./settings.ts";

/** What a job gets where nothing is said: by the settings, and, as `capture_env` has it, from the one who enqueues. */
export function defaultsFrom(settings: Settings, { cwd, environment }: Enqueuer): JobDefaults {
  const { max_retries, priority, timeout, capture_env } = settings;
  const captured = capture_env.flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { max_retries, priority, timeout, cwd, env: Object.fromEntries(captured) };
}

export const defaultQueue = "default";

/** Refuses what breaks a rule. */
export function plainJob(command: string, defaults: JobDefaults): NewJob {
  checkCommand(command);
  checkEnv(defaults.env);
  checkCwd(defaults.cwd);
  return {
    ...defaults,
    id: undefined,
    command,
    queue: defaultQueue,
    tags: [],
    rules: {},
    key: null,
    held: false,
    after: [],
    unique: undefined,
    run_at: undefined,
  };
}

/** Linux takes no single argument of 128 KiB or more, its closing NUL included (MAX_ARG_STRLEN). */
export const maxCommandBytes = 128 * 1024 - 1;

/** Together with the worker's own environment this must stay far below what exec accepts (2 MiB). */
export const maxEnvBytes = 512 * 1024;

export function checkCommand(command: string): void {
  if (command.trim() === "")
    throw misuse("the command is empty", "say what to run: queuectl enqueue 'echo hello'");
  if (command.includes("\0")) throw misuse("the command contains a NUL byte, which no process can be given");
  if (!command.isWellFormed()) throw misuse("the command contains half a character (a lone surrogate)");
  const bytes = Buffer.byteLength(command);
  if (bytes > maxCommandBytes) {
    throw misuse(
      `the command is ${bytes} bytes long; the limit is ${maxCommandBytes}`,
      "put it into a script file and enqueue that",
    );
  }
}

export function checkCwd(cwd: string): void {
  if (!cwd.startsWith("/") || cwd.includes("\0") || !cwd.isWellFormed())
    throw misuse(`cwd must be an absolute path, not ${shown(cwd)}`);
}

/** What every object has under the name `__proto__` is no variable. */
const envName = /^(?!__proto__$)[A-Za-z_][A-Za-z0-9_]*$/;

export const noEnvName = (name: string) =>
  misuse(`${shown(name)} is not the name of an environment variable`);

export function checkEnv(env: Readonly<Record<string, string>>): void {
  let bytes = 0;
  for (const [name, value] of Object.entries(env)) {
    if (!envName.test(name)) throw noEnvName(name);
    if (value.includes("\0")) throw misuse(`the environment variable ${name} contains a NUL byte`);
    if (!value.isWellFormed())
      throw misuse(`the environment variable ${name} contains half a character (a lone surrogate)`);
    const size = Buffer.byteLength(name) + Buffer.byteLength(value) + 2;
    if (size > maxCommandBytes) {
      throw misuse(`the environment variable ${name} is ${size} bytes long; the limit is ${maxCommandBytes}`);
    }
    bytes += size;
  }
  if (bytes > maxEnvBytes)
    throw misuse(`the environment is ${bytes} bytes long; the limit is ${maxEnvBytes}`);
}
