// The whole command line on one page: the names of all commands, and a sentence on each. What more there is to say of one, its options
// first, stands in its file, which is loaded when it is called, and only then.

import type { Command, Commands } from "./command.ts";
import type { Named, Vocabulary } from "./words.ts";

export interface Entry extends Named {
  /** What the command does, for help. */
  readonly about: string;
  readonly load: () => Promise<Command>;
}

/** What help lists, under its headings and in its order. */
export const parts: ReadonlyMap<string, readonly Entry[]> = new Map([
  [
    "Give it work",
    [
      from(() => import("./commands/enqueue.ts"), {
        "enqueue [...command]": "Store a command to be run by a worker, and print its id",
      }),
      from(() => import("./commands/run.ts"), {
        "run [...command]": "Store a command, run it here at once, and exit with its exit status",
      }),
      from(() => import("./commands/schedule-add.ts"), {
        "schedule add <name> <times> [...command]":
          "Store a command to be run again and again, at the times of a cron text",
      }),
      from(() => import("./commands/schedule-import.ts"), {
        "schedule import <file>": "Make schedules of a crontab, of all its lines or of none; - is stdin",
      }),
      from(() => import("./commands/schedule.ts"), {
        "schedule list": "Show the schedules, by name",
        "schedule show <schedule>": "Show one schedule, its next times and its last jobs",
        "schedule pause <...schedule>": "Let no time come until it is resumed",
        "schedule resume <...schedule>": "Go on with the next time from now",
        "schedule run <schedule>": "Enqueue its command now, beside its times, and print the job's id",
        "schedule delete <...schedule>": "Remove schedules; their jobs stay",
      }),
      from(() => import("./commands/schedule-preview.ts"), {
        "schedule preview <times>": "Show the next times of a cron text, and where the clock is changed",
      }),
    ].flat(),
  ],
  [
    "Have it done",
    [
      from(() => import("./commands/worker-start.ts"), {
        "worker start":
          "Run jobs until stopped; the first Ctrl-C finishes the current ones, the second gives them back",
      }),
      from(() => import("./commands/worker-stop.ts"), {
        "worker stop": "Ask this machine's workers to finish their jobs and go",
      }),
      from(() => import("./commands/worker-list.ts"), {
        "worker list": "Show the workers",
      }),
      from(() => import("./commands/worker-logs.ts"), {
        "worker logs <worker>": "Show what a worker said",
      }),
      from(() => import("./commands/worker-forget.ts"), {
        "worker forget <worker>":
          "Say that a worker of another machine or container is gone for good; its jobs run again",
      }),
      from(() => import("./commands/service.ts"), {
        "service install":
          "Have systemd, or launchd on macOS, start a worker with the machine and keep it running",
        "service uninstall": "End that worker and remove the file; its commands go on",
        "service status": "Show whether that worker runs, and when it starts",
      }),
    ].flat(),
  ],
  [
    "Look at it",
    [
      from(() => import("./commands/status.ts"), {
        status: "Show how many jobs are in which state, and how runs went",
      }),
      from(() => import("./commands/list.ts"), {
        list: "Show jobs, the newest first",
      }),
      from(() => import("./commands/show.ts"), {
        "show <id>": "Show one job and its attempts",
      }),
      from(() => import("./commands/why.ts"), {
        "why <id>": "Say why a job does not run, and when it will",
      }),
      from(() => import("./commands/logs.ts"), {
        "logs [...id]": "Show what a job printed, or what several print, each line behind its job's id",
      }),
      from(() => import("./commands/wait.ts"), {
        "wait [...id]": "Wait until jobs are settled, and exit with their exit status",
      }),
      from(() => import("./commands/web.ts"), {
        "web start, dashboard": "Serve the dashboard and the HTTP API",
      }),
      from(() => import("./commands/web-token.ts"), {
        "web token": "Show the token that opens the dashboard, making it if there is none",
      }),
    ].flat(),
  ],
  [
    "Change it",
    [
      from(() => import("./commands/cancel.ts"), {
        "cancel [...id]": "Stop jobs that wait or run",
      }),
      from(() => import("./commands/retry.ts"), {
        "retry [...id]": "Run jobs now, or once more",
      }),
      from(() => import("./commands/hold.ts"), {
        "hold [...id]": "Keep waiting jobs from running until they are released",
        "release [...id]": "Let held jobs run",
      }),
      from(() => import("./commands/edit.ts"), {
        "edit <id>": "Change what a job is while it waits; without options in your editor",
      }),
      from(() => import("./commands/delete.ts"), {
        "delete [...id]": "Remove jobs, their history and their logs",
      }),
      from(() => import("./commands/dlq.ts"), {
        "dlq list": "Show the dead letters",
        "dlq retry [...id]": "Put dead letters back into their queue",
        "dlq retry-all": "Put all dead letters back into their queues",
        "dlq delete <...id>": "Remove dead letters",
        "dlq purge": "Remove all dead letters",
      }),
      from(() => import("./commands/snooze.ts"), {
        "snooze <duration>": "Called by a job's command: run the job again later, at no cost to its retries",
      }),
    ].flat(),
  ],
  [
    "Set it up",
    [
      from(() => import("./commands/queue.ts"), {
        "queue list": "Show the queues: their jobs, which are paused, and their limits",
        "queue show <queue>": "Show one queue",
        "queue set <queue>":
          "Say how many jobs of a queue may run at once, or start in a time; running workers obey at once",
        "queue pause [...queue]":
          "Let no job of these queues start until they are resumed; what runs goes on",
        "queue resume [...queue]": "Let paused queues go on",
      }),
      from(() => import("./commands/config.ts"), {
        "config show, config list": "Show all settings",
        "config get <key>": "Print the value of a setting",
        "config set <key> <value>": "Change a setting; running workers obey at once",
        "config unset <key>": "Go back to a setting's default",
      }),
      from(() => import("./commands/alert-add.ts"), {
        "alert add <name>": "Tell somebody when jobs die, complete or run for long, or when a queue backs up",
      }),
      from(() => import("./commands/alert.ts"), {
        "alert list": "Show the alerts, by name, and how their last message fared",
        "alert show <alert>": "Show one alert and its last messages",
        "alert test <alert>": "Send a message by it at once, and say what came back",
        "alert pause <...alert>": "Tell nothing until it is resumed",
        "alert resume <...alert>": "Tell again of what happens from now on",
        "alert delete <...alert>": "Remove alerts with their messages",
      }),
    ].flat(),
  ],
  [
    "Keep it well",
    [
      from(() => import("./commands/doctor.ts"), {
        doctor: "Say what is wrong with the queue, and how to mend it",
      }),
      from(() => import("./commands/prune.ts"), {
        prune: "Remove jobs that finished long ago, with their history and output",
      }),
      from(() => import("./commands/export.ts"), {
        export: "Print jobs as JSON Lines, in the order in which they were enqueued",
      }),
      from(() => import("./commands/backup.ts"), {
        "backup <file>": "Copy the queue to a new file while everything goes on",
      }),
      from(() => import("./commands/migrate.ts"), {
        migrate: "Move the queue to another database, with ids, history, output and settings",
      }),
      from(() => import("./commands/demo.ts"), {
        demo: "Show a queue full of work, and its dashboard, in a folder that is removed in the end",
      }),
      from(() => import("./commands/completions.ts"), {
        "completions <shell>": "Print a script that has bash, zsh or fish complete queuectl's words",
      }),
      from(() => import("./commands/man.ts"), {
        man: "Print the manual page, as man(1) reads it",
      }),
    ].flat(),
  ],
]);

export const shown: readonly Entry[] = [...parts.values()].flat();

/** Called by programs only. */
const hidden: readonly Entry[] = [
  from(() => import("./commands/guard.ts"), {
    "guard <lease>": "End the commands of a worker that is gone or hangs, before its lease ends",
  }),
  from(() => import("./commands/complete.ts"), {
    complete: "Say what may stand at the end of the words behind --",
  }),
].flat();

export const program: Vocabulary<Entry> = {
  commands: [...shown, ...hidden],
  groups: new Map([
    ["worker", "worker start"],
    ["service", undefined],
    ["dlq", "dlq list"],
    ["schedule", "schedule list"],
    ["queue", "queue list"],
    ["alert", "alert list"],
    ["config", "config show"],
    ["web", "web start"],
  ]),
  synonyms: new Map([
    ["add", ["enqueue"]],
    ["submit", ["enqueue"]],
    ["start", ["worker start"]],
    ["stop", ["worker stop"]],
    ["pause", ["queue pause", "hold"]],
    ["resume", ["queue resume", "release"]],
    ["ls", ["list"]],
    ["jobs", ["list"]],
    ["ps", ["list --state processing"]],
    ["tail", ["logs --follow"]],
    ["follow", ["logs --follow"]],
    ["watch", ["status --watch"]],
    ["kill", ["cancel"]],
    ["abort", ["cancel"]],
    ["restart", ["retry"]],
    ["rm", ["delete"]],
    ["remove", ["delete"]],
    ["clean", ["prune"]],
    ["set", ["config set"]],
    ["get", ["config get"]],
    ["serve", ["web start"]],
    ["version", ["--version"]],
  ]),
  everywhere: [
    ["--database <url>", "The PostgreSQL queue at postgres://…, instead of QUEUECTL_DATABASE_URL"],
    ["-h, --help", "Show this"],
    ["-v, --version", "Show the version"],
  ],
};

/** The commands of a file, by name, other name and plain words. */
function from(
  load: () => Promise<{ readonly commands: Commands }>,
  rows: Readonly<Record<string, string>>,
): Entry[] {
  return Object.entries(rows).map(([head, about]) => {
    const [, names, takes] = /^([a-z, -]+?)(?: ([<[].*))?$/.exec(head)!;
    const [name, alias] = names!.split(", ") as [string, string?];
    return { name, alias, takes, about, load: async () => (await load()).commands[name]! };
  });
}
