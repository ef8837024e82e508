// Watches over a command that runs, whether this process started it or took it over: ends it when its time is up or somebody
// says so, sees to it that nothing of it is left, and tells how it ended.

import type { AttemptResult, Ending } from "../domain/attempt.ts";
import { isSuccess } from "../domain/exit-rules.ts";
import type { JobRules } from "../domain/rules.ts";
import type { Settings } from "../domain/settings.ts";
import { readGap } from "../gap.ts";
import type { Mark } from "./mark.ts";
import { toldOfMemory } from "./memory.ts";
import { type SizeWatch, watchSize } from "./output.ts";
import { isGone } from "./process-identity.ts";
import { endTree, killTree, type ProcessTree, treeIsAlive } from "./process-tree.ts";
import { timeout } from "./timeout.ts";
import { verdict } from "./verdict.ts";

export interface AttemptPlan {
  readonly command: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Seconds, 0 for none. */
  readonly timeout: number;
  readonly logPath: string;
  /** Where stderr goes; null: where stdout does. */
  readonly errorPath: string | null;
  readonly rules: JobRules;
  readonly mark: Mark;
  /** Asked when needed, so that a changed setting counts for what runs already. */
  readonly limits: () => Pick<Settings, "kill_grace" | "log_limit" | "log_tail">;
}

/** Why an attempt is ended from outside. */
export type EndReason = Extract<AttemptResult, "cancelled" | "released" | "timed_out">;

export interface RunningAttempt {
  /** Null when no process could be made; `ended` then says why. */
  readonly pid: number | null;
  /** What keeps any attempt from being started at the moment, through no fault of this one; null when nothing does. */
  readonly hindrance: Obstacle | null;
  readonly ended: Promise<Ending>;
  /** Ends all of its processes. The first reason counts; one that comes after the command's own end does nothing. */
  end(reason: EndReason): void;
  /** KILL to all of its processes at once. */
  kill(): void;
  /** Stops watching: the command goes on, and `ended` never comes. */
  abandon(): void;
}

export interface Obstacle {
  readonly message: string;
  /** Whether it is still there, by a look. */
  stands(): boolean;
}

export interface Shell {
  /** Also its process group; null when there is none any more. */
  readonly pid: number | null;
  /** The folder of its control group; null where it has none. */
  readonly cgroup: string | null;
  /** Seconds it has run already. */
  readonly age: number;
  /** Whether it was started with an empty log; of what was taken over, something may have been left out already. */
  readonly isNew: boolean;
  /** How the shell ended, or in which way it went without a word. */
  readonly exited: Promise<ShellExit | "lost" | "rebooted">;
  abandon(): void;
  /** Called when nothing that must end is left of it; `killed`: perhaps by a KILL to its control group. */
  done?(killed: boolean): void;
}

export interface ShellExit extends Pick<Ending, "exit_code" | "signal" | "cpu_time" | "peak_memory"> {}

/** Two files share the limit. */
function watchSizes({ logPath, errorPath, limits }: AttemptPlan, isNew: boolean): SizeWatch {
  const kept = (files: number) => () => {
    const { log_limit, log_tail } = limits();
    const most = Math.floor(log_limit / files);
    return { most, tail: Math.floor(most * log_tail) };
  };
  const watch = (path: string, files: number) =>
    watchSize(path, kept(files), isNew ? undefined : readGap(path));
  if (errorPath === null) return watch(logPath, 1);
  const watches = [watch(logPath, 2), watch(errorPath, 2)] as const;
  return {
    async finish() {
      const [out, error] = [await watches[0].finish(), await watches[1].finish()];
      const isCounted = out.log_left_out !== null && error.log_left_out !== null;
      return {
        log_bytes: out.log_bytes + error.log_bytes,
        log_truncated: out.log_truncated || error.log_truncated,
        log_left_out: isCounted ? out.log_left_out + error.log_left_out : null,
      };
    },
    [Symbol.dispose]() {
      for (const watch of watches) watch[Symbol.dispose]();
    },
  };
}

export function supervise(shell: Shell, plan: AttemptPlan): RunningAttempt {
  const startedAt = performance.now() - shell.age * 1000;
  const tree: ProcessTree = { group: shell.pid, mark: plan.mark, cgroup: shell.cgroup };
  const size = watchSizes(plan, shell.isNew);
  const timer =
    plan.timeout > 0 ? timeout(plan.timeout * 1000 - shell.age * 1000, () => end("timed_out")) : undefined;
  let reason: EndReason | undefined;
  /** What is said when the command has ended by itself is no reason of that, and touches nothing that it may leave behind. */
  let isOver = false;
  /** What was killed is not given back: it counts as ended before it is heard of. */
  let isKilled = false;
  /** Its control group may be another command's from then on. */
  let isDone = false;
  let ending: Promise<readonly number[]> | undefined;

  const graceMs = () => plan.limits().kill_grace * 1000;

  function end(why: EndReason): void {
    // A worker that was stopped for a while hears of the time that is up before it hears of a command that had ended in time.
    if (reason || isOver || (shell.pid !== null && isGone(shell.pid))) return;
    if (isKilled && why === "released") return;
    reason = why;
    ending = endTree(tree, "everything", graceMs());
  }

  function abandon(): void {
    timer?.[Symbol.dispose]();
    size[Symbol.dispose]();
    shell.abandon();
  }

  async function finish(): Promise<Ending> {
    const word = await shell.exited;
    isOver = true;
    const exit = typeof word === "string" ? null : word;
    timer?.[Symbol.dispose]();
    const duration = Math.round(performance.now() - startedAt) / 1000;
    const note = await endRemains(exit);
    const facts = { timeout: plan.timeout, path: plan.env.PATH, rules: plan.rules };
    const ended = { ...verdict(word, reason, facts), note };
    const told =
      plan.rules.memory === undefined ? ended : toldOfMemory(ended, plan.rules.memory, shell.cgroup);
    isDone = true;
    shell.done?.(isKilled || ending !== undefined || (exit !== null && exit.signal !== null));
    const output = await size.finish();
    return {
      ...told,
      duration,
      cpu_time: exit?.cpu_time ?? null,
      peak_memory: exit?.peak_memory ?? null,
      ...output,
    };
  }

  /**
   * What the shell leaves in its group ends with it. What has left the group stays when the command succeeded, because that is
   * how a daemon is started, and ends otherwise.
   */
  async function endRemains(exit: ShellExit | null): Promise<string | null> {
    const reach =
      exit !== null && isSuccess(plan.rules, { result: "exited", ...exit }) ? "group only" : "everything";
    const left = !ending && (await treeIsAlive(tree, reach));
    if (left) ending = endTree(tree, reach, graceMs());
    const survivors = (await ending) ?? [];
    if (survivors.length > 0) return `processes ${survivors.join(", ")} could not be ended`;
    return left ? "ended processes that it left behind" : null;
  }

  return {
    pid: shell.pid,
    hindrance: null,
    ended: finish(),
    end,
    kill() {
      if (isDone) return;
      isKilled = true;
      void killTree(tree);
    },
    abandon,
  };
}
