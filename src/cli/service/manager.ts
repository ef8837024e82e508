// What keeps a worker running when nobody is logged in: systemd's manager of the user, or launchd. Each reads a file of its own.

import { Refusal } from "../../domain/errors.ts";
import type { Environment } from "../../self.ts";

/** What the service is to run, and where. */
export interface ServicePlan {
  readonly command: readonly string[];
  /** Laid over what the manager gives. */
  readonly environment: Environment;
  /** The working directory: the home folder, where no stranger's .env or bunfig.toml lies. */
  readonly home: string;
}

interface ServiceState {
  readonly running: boolean;
  /** Null while it does not run. */
  readonly pid: number | null;
  /** - `boot`: with the machine. `login`: while its user is logged in. `hand`: not by itself. */
  readonly starts: "boot" | "login" | "hand";
}

export interface ServiceManager {
  /** Where the file lies. */
  readonly path: string;
  /** The file for a plan. */
  file(plan: ServicePlan): string;
  /** Refuses where the manager cannot be reached. */
  check(): void;
  /** Has the manager read the file and run what it says, now and from now on. */
  start(): void;
  /** Ends it; commands that run go on. */
  stop(): void;
  /** What is left to do when the file is gone. */
  forget(): void;
  state(): ServiceState;
  /** What its user should know, a line each. */
  advice(): string[];
}

interface Answer {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

export function ask(words: readonly string[], environment: Environment): Answer {
  if (Bun.which(words[0]!, { PATH: environment.PATH ?? "" }) === null)
    return { ok: false, stdout: "", stderr: `there is no ${words[0]} here` };
  const { success, stdout, stderr } = Bun.spawnSync([...words], { env: environment, stdin: "ignore" });
  return { ok: success, stdout: stdout.toString(), stderr: stderr.toString() };
}

/** The same, where nothing else than yes will do. */
export function order(words: readonly string[], environment: Environment, advice: string): void {
  const { ok, stderr } = ask(words, environment);
  const said = stderr.trim().split("\n")[0];
  if (!ok) throw new Refusal("unavailable", `${words.join(" ")} failed${said ? `: ${said}` : ""}`, advice);
}
