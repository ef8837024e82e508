// The whole command line on one page. A command's file is loaded when it is called, and only then.

import type { Context } from "./context.ts";
import type { Declared, Flag, Vocabulary } from "./words.ts";

/** What a command's file exports: plain words and options in, exit status out. */
type Action = (context: Context, words: readonly string[], options: never) => Promise<number>;

export interface Command extends Declared {
  /** What it does, for help. */
  readonly about: string;
  /** How it is used, where its name and parameters do not say it well. */
  readonly usage?: string;
  readonly examples?: readonly string[];
  /** Called by programs only; left out of help. */
  readonly isHidden?: true;
  readonly load: () => Promise<Action>;
}

/** Marks an option that may be given more than once. */
const many: { type: [] } = { type: [] };

const json: Flag = ["--json", "Print one JSON document"];
const yes: Flag = ["--yes", "Do not ask"];

const ruleFlags: readonly Flag[] = [
  ["--retry-on <statuses>", "Retry on these exit statuses only, such as 75,100-110; die on others"],
  ["--dead-on <statuses>", "Die on these exit statuses, whatever retries are left"],
  ["--success-on <statuses>", "The exit statuses that complete the job; 0 by default"],
  ["--backoff <kind>", "How delays grow: exponential (the default), linear or fixed"],
  ["--backoff-base <n>", "b of the delay before retry n: b ^ n seconds, b * n, or b"],
  ["--backoff-max <duration>", "The longest delay before a retry"],
  ["--nice <n>", "How far it stands back for others, 0 to 19"],
  ["--split", "Keep stdout and stderr apart, not in the order in which they were written"],
  ["--memory <size>", "The most memory that it may use, with all it starts, such as 500M"],
  [
    "--secret-env <K[=@file]>",
    "A variable of the worker's, or read from a file, and never stored; may be repeated",
    many,
  ],
];

const jobFlags: readonly Flag[] = [
  ["--command <command>", "The command, instead of writing it as a word"],
  ["--id <id>", "A name of your own for the job"],
  ["--max-retries <n>", "Retries after the first run, 0 to 1000"],
  ["--priority <n>", "1 to 5; 5 runs first"],
  ["--run-at <time>", "When it may first run: ISO 8601 (local without an offset), or +10m"],
  ["--delay <duration>", "How long to wait before the first run, such as 10m"],
  ["--timeout <duration>", "How long it may run, such as 30s; 0 for no limit"],
  ["--queue <name>", "The queue it goes to"],
  ["--key <text>", "Of all jobs with one key, in whatever queue, one runs at a time"],
  ["--tag <tag>", "A label; may be repeated", many],
  ["--cwd <folder>", "Where it runs; here by default"],
  ["--env <K=V|K>", "A variable for it, or one taken along from here; may be repeated", many],
  ...ruleFlags,
];

const heldFlags: readonly Flag[] = [
  ["--tag <tag>", "All with this label"],
  ["--queue <name>", "All of this queue"],
  ["--all", "All"],
];

const scheduleFlags: readonly Flag[] = [
  ["--tz <zone>", "The zone of its times, such as Europe/Berlin; this machine's by default"],
  ["--missed <what>", "Of times that no worker was there for: skip all, run one (the default), or all"],
  ["--overlap <what>", "While its last job is not settled: skip (the default), queue another, or replace it"],
  ["--jitter <duration>", "Start each time up to so much later, always the same for one time"],
];

const replace: Flag = ["--replace", "Put it in the place of a schedule that has the name"];

const schedule = () => import("./commands/schedule.ts");
const alert = () => import("./commands/alert.ts");
const dlq = () => import("./commands/dlq.ts");
const queue = () => import("./commands/queue.ts");
const config = () => import("./commands/config.ts");
const service = () => import("./commands/service.ts");

const commands: readonly Command[] = [
  {
    name: "enqueue",
    takes: "[...command]",
    about: "Store a command to be run by a worker, and print its id",
    usage: "enqueue '<command>' | -- <word…> | '<json>' | --file <file> | --each '<command>' [options]",
    examples: [
      "queuectl enqueue 'ffmpeg -i in.mov out.mp4' --priority 5",
      "queuectl enqueue --delay 10m -- cp 'a file' /backup",
      `queuectl enqueue '{"command": "make test", "max_retries": 0}'`,
      "find . -name '*.wav' -print0 | queuectl enqueue -0 --each 'flac {} -o {.}.flac'",
    ],
    flags: [
      ...jobFlags,
      ["--hold", "Let it wait until it is released"],
      ["--after <job>", "Run it when this job has completed; may be repeated", many],
      ["--after-any <job>", "Run it when this job is settled, however; may be repeated", many],
      ["--if-parent-fails <what>", "When a job of --after fails: cancel it (the default), wait, or run"],
      ["--unique", "Not again while the same command of the same queue and folder is not settled"],
      ["--unique-key <text>", "Not again while a job of this key is not settled"],
      ["--unique-for <duration>", "Nor within so long after it was enqueued, whatever became of it"],
      ["--file <file>", "Jobs as JSON, a JSON array or JSON Lines, or the list for --each; - is stdin"],
      [
        "--each <command>",
        "This command for each line of a list, with {} {.} {/} {//} {/.} {#} {1} {2} in it",
      ],
      ["--colsep <separator>", "What stands between {1} and {2}: a character, or a regular expression"],
      ["-0, --null", "The list's values end with a NUL byte, not with a line end"],
      json,
    ],
    load: async () => (await import("./commands/enqueue.ts")).enqueue,
  },
  {
    name: "run",
    takes: "[...command]",
    about: "Store a command, run it here at once, and exit with its exit status",
    usage: "run '<command>' | -- <word…> [options]",
    flags: jobFlags,
    load: async () => (await import("./commands/run.ts")).run,
  },

  {
    name: "worker start",
    about: "Run jobs until stopped; the first Ctrl-C finishes the current ones, the second gives them back",
    flags: [
      ["--count <n>", "How many jobs to run at once; 1 by default"],
      ["--detach", "Run in the background"],
      ["--until-empty", "Go when nothing waits or runs any more"],
      ["--queue <name>", "Serve only this queue; may be repeated", many],
      ["--quiet", "Say nothing here; queuectl worker logs has it all the same"],
      ["--poll <seconds>", "How often to look for jobs unasked, instead of the setting poll_interval"],
    ],
    load: async () => (await import("./commands/worker-start.ts")).workerStart,
  },
  {
    name: "worker stop",
    about: "Ask this machine's workers to finish their jobs and go",
    flags: [
      ["--id <worker>", "Only this worker, on whichever machine"],
      ["--all-hosts", "Those of all machines"],
      ["--wait", "Return when they are gone"],
      ["--timeout <duration>", "How long to wait; 10 s by default"],
      ["--force", "End their jobs and give them back to the queue"],
      [
        "--leave-running",
        "Go at once and leave their commands running for the next worker, also a newer version",
      ],
    ],
    load: async () => (await import("./commands/worker-stop.ts")).workerStop,
  },
  {
    name: "worker list",
    about: "Show the workers",
    flags: [json],
    load: async () => (await import("./commands/worker-list.ts")).workerList,
  },
  {
    name: "worker forget",
    takes: "<worker>",
    about: "Say that a worker of another machine or container is gone for good; its jobs run again",
    flags: [yes],
    load: async () => (await import("./commands/worker-forget.ts")).workerForget,
  },
  {
    name: "worker logs",
    takes: "<worker>",
    about: "Show what a worker said",
    flags: [
      ["--lines <n>", "How many of the last lines; 50 by default"],
      ["--follow", "Go on showing what it says"],
    ],
    load: async () => (await import("./commands/worker-logs.ts")).workerLogs,
  },

  {
    name: "service install",
    about: "Have systemd, or launchd on macOS, start a worker with the machine and keep it running",
    examples: ["queuectl service install --count 4", "queuectl service install --queue gpu --print"],
    flags: [
      ["--count <n>", "How many jobs to run at once; 1 by default"],
      ["--queue <name>", "Serve only this queue; may be repeated", many],
      ["--print", "Print the file that it would write, and do nothing"],
    ],
    load: async () => (await service()).serviceInstall,
  },
  {
    name: "service uninstall",
    about: "End that worker and remove the file; its commands go on",
    load: async () => (await service()).serviceUninstall,
  },
  {
    name: "service status",
    about: "Show whether that worker runs, and when it starts",
    flags: [json],
    load: async () => (await service()).serviceStatus,
  },

  {
    name: "status",
    about: "Show how many jobs are in which state, and how runs went",
    flags: [["--watch", "Go on showing it, and what runs, until Ctrl-C"], json],
    load: async () => (await import("./commands/status.ts")).status,
  },
  {
    name: "list",
    about: "Show jobs, the newest first",
    flags: [
      ["--state <state>", "pending, processing, completed, failed, dead or cancelled"],
      ["--queue <name>", "Of this queue"],
      ["--tag <tag>", "With this label"],
      ["--search <text>", "With this in their id or command"],
      ["--limit <n>", "At most so many; 50 by default, 0 for all"],
      json,
    ],
    load: async () => (await import("./commands/list.ts")).list,
  },
  {
    name: "show",
    takes: "<id>",
    about: "Show one job and its attempts",
    flags: [json],
    load: async () => (await import("./commands/show.ts")).show,
  },
  {
    name: "why",
    takes: "<id>",
    about: "Say why a job does not run, and when it will",
    flags: [json],
    load: async () => (await import("./commands/why.ts")).why,
  },
  {
    name: "logs",
    takes: "[...id]",
    about: "Show what a job printed, or what several print, each line behind its job's id",
    usage: "logs <id…> | --follow --tag <tag> | --follow --queue <name> | --follow --running [options]",
    flags: [
      ["--follow", "Go on until the job is settled, or all of them are"],
      ["--attempt <n>", "Of this attempt; the newest by default"],
      ["--stdout", "Of a job with --split: only what went to stdout"],
      ["--stderr", "Of a job with --split: only what went to stderr, and it goes to stdout"],
      ["--tag <tag>", "Follow all jobs with this label that wait or run"],
      ["--queue <name>", "Follow all jobs of this queue that wait or run"],
      ["--running", "Follow only jobs that run now"],
    ],
    load: async () => (await import("./commands/logs.ts")).logs,
  },
  {
    name: "wait",
    takes: "[...id]",
    about: "Wait until jobs are settled, and exit with their exit status",
    usage: "wait <id…> | --tag <tag> | --queue <name> | --all [options]",
    flags: [
      ["--tag <tag>", "For all jobs with this label"],
      ["--queue <name>", "For all jobs of this queue"],
      ["--all", "For all jobs"],
      ["--timeout <duration>", "How long to wait at most; exits with 124 then"],
    ],
    load: async () => (await import("./commands/wait.ts")).wait,
  },
  {
    name: "cancel",
    takes: "<...id>",
    about: "Stop jobs that wait or run",
    flags: [["--wait", "Return when they have ended"]],
    load: async () => (await import("./commands/cancel.ts")).cancel,
  },
  {
    name: "retry",
    takes: "<...id>",
    about: "Run jobs now, or once more",
    load: async () => (await import("./commands/retry.ts")).retry,
  },
  {
    name: "hold",
    takes: "[...id]",
    about: "Keep waiting jobs from running until they are released",
    usage: "hold <id…> | --tag <tag> | --queue <name> | --all",
    flags: heldFlags,
    load: async () => (await import("./commands/hold.ts")).hold,
  },
  {
    name: "release",
    takes: "[...id]",
    about: "Let held jobs run",
    usage: "release <id…> | --tag <tag> | --queue <name> | --all",
    flags: heldFlags,
    load: async () => (await import("./commands/hold.ts")).release,
  },
  {
    name: "edit",
    takes: "<id>",
    about: "Change what a job is while it waits; without options in your editor",
    usage: "edit <id> [options] [-- <word…>]",
    examples: ["queuectl edit report --priority 5 --delay 10m", "queuectl edit report"],
    flags: [
      ...jobFlags.filter(([flag]) => !flag.startsWith("--id ")),
      ["--clear-tags", "Take its labels away"],
      json,
    ],
    load: async () => (await import("./commands/edit.ts")).edit,
  },
  {
    name: "delete",
    takes: "<...id>",
    about: "Remove jobs, their history and their logs",
    load: async () => (await import("./commands/delete.ts")).deleteJobs,
  },

  {
    name: "snooze",
    takes: "<duration>",
    about: "Called by a job's command: run the job again later, at no cost to its retries",
    examples: ["test -e /data/ready || exec queuectl snooze 30s"],
    load: async () => (await import("./commands/snooze.ts")).snooze,
  },

  {
    name: "dlq list",
    about: "Show the dead letters",
    flags: [["--limit <n>", "At most so many; 50 by default, 0 for all"], json],
    load: async () => (await dlq()).dlqList,
  },
  {
    name: "dlq retry",
    takes: "[...id]",
    about: "Put dead letters back into their queue",
    usage:
      "dlq retry <id…> | <id> [options] [-- <word…>] | --tag <tag> | --queue <name> | --search <text> | --all",
    examples: ["queuectl dlq retry backup --command 'rsync -a src/ nas:' --timeout 2h"],
    flags: [
      ["--tag <tag>", "All with this label"],
      ["--queue <name>", "All of this queue"],
      ["--search <text>", "All with this in their id or command"],
      ["--all", "All there are"],
      ...jobFlags.filter(([flag]) =>
        /^--(command|max-retries|priority|run-at|delay|timeout|cwd|env) /.test(flag),
      ),
      ...ruleFlags,
    ],
    load: async () => (await dlq()).dlqRetry,
  },
  {
    name: "dlq retry-all",
    about: "Put all dead letters back into their queues",
    load: async () => (await dlq()).dlqRetryAll,
  },
  {
    name: "dlq delete",
    takes: "<...id>",
    about: "Remove dead letters",
    load: async () => (await dlq()).dlqDelete,
  },
  {
    name: "dlq purge",
    about: "Remove all dead letters",
    flags: [yes],
    load: async () => (await dlq()).dlqPurge,
  },

  {
    name: "schedule add",
    takes: "<name> <times> [...command]",
    about: "Store a command to be run again and again, at the times of a cron text",
    usage: "schedule add <name> '<cron>' '<command>' | -- <word…> [options]",
    examples: [
      "queuectl schedule add nightly '30 2 * * *' './backup.sh' --tz Europe/Berlin",
      "queuectl schedule add ping '*/10 * * * * *' 'curl -fsS https://example.org' --overlap skip",
    ],
    flags: [
      ...scheduleFlags,
      ...jobFlags.filter(([flag]) => !/^--(id|run-at|delay) /.test(flag)),
      replace,
      json,
    ],
    load: async () => (await import("./commands/schedule-add.ts")).scheduleAdd,
  },
  {
    name: "schedule import",
    takes: "<file>",
    about: "Make schedules of a crontab, of all its lines or of none; - is stdin",
    usage: "schedule import <file> [options]",
    examples: [
      "crontab -l | queuectl schedule import - --dry-run",
      "queuectl schedule import my.crontab --queue cron",
    ],
    flags: [
      ...scheduleFlags,
      ...jobFlags.filter(([flag]) => !/^--(command|id|run-at|delay) /.test(flag)),
      replace,
      ["--dry-run", "Show what would be added, and add nothing"],
      json,
    ],
    load: async () => (await import("./commands/schedule-import.ts")).scheduleImport,
  },
  {
    name: "schedule list",
    about: "Show the schedules, by name",
    flags: [json],
    load: async () => (await schedule()).scheduleList,
  },
  {
    name: "schedule show",
    takes: "<name>",
    about: "Show one schedule, its next times and its last jobs",
    flags: [json],
    load: async () => (await schedule()).scheduleShow,
  },
  {
    name: "schedule pause",
    takes: "<...name>",
    about: "Let no time come until it is resumed",
    load: async () => (await schedule()).schedulePause,
  },
  {
    name: "schedule resume",
    takes: "<...name>",
    about: "Go on with the next time from now",
    load: async () => (await schedule()).scheduleResume,
  },
  {
    name: "schedule run",
    takes: "<name>",
    about: "Enqueue its command now, beside its times, and print the job's id",
    load: async () => (await schedule()).scheduleRun,
  },
  {
    name: "schedule delete",
    takes: "<...name>",
    about: "Remove schedules; their jobs stay",
    load: async () => (await schedule()).scheduleDelete,
  },
  {
    name: "schedule preview",
    takes: "<times>",
    about: "Show the next times of a cron text, and where the clock is changed",
    usage: "schedule preview '<cron>' [options]",
    flags: [["--count <n>", "How many; 10 by default"], scheduleFlags[0]!, json],
    load: async () => (await import("./commands/schedule-preview.ts")).schedulePreview,
  },

  {
    name: "queue list",
    about: "Show the queues: their jobs, which are paused, and their limits",
    flags: [json],
    load: async () => (await queue()).queueList,
  },
  {
    name: "queue show",
    takes: "<queue>",
    about: "Show one queue",
    flags: [json],
    load: async () => (await queue()).queueShow,
  },
  {
    name: "queue set",
    takes: "<queue>",
    about: "Say how many jobs of a queue may run at once, or start in a time; running workers obey at once",
    usage: "queue set <queue> [--concurrency <n>|none] [--rate <starts/time>|none]",
    examples: ["queuectl queue set media --concurrency 2", "queuectl queue set api --rate 100/m"],
    flags: [
      [
        "--concurrency <n>",
        "How many of its jobs may run at once, on all machines together; none for any number",
      ],
      [
        "--rate <starts>",
        "How many may start in any time of a length, such as 100/m or 5/10s; none for any number",
      ],
      json,
    ],
    load: async () => (await queue()).queueSet,
  },
  {
    name: "queue pause",
    takes: "[...queue]",
    about: "Let no job of these queues start until they are resumed; what runs goes on",
    usage: "queue pause <queue…> | --all",
    flags: [["--all", "All queues that there are"]],
    load: async () => (await queue()).queuePause,
  },
  {
    name: "queue resume",
    takes: "[...queue]",
    about: "Let paused queues go on",
    usage: "queue resume <queue…> | --all",
    flags: [["--all", "All that are paused"]],
    load: async () => (await queue()).queueResume,
  },

  {
    name: "alert add",
    takes: "<name>",
    about: "Tell somebody when jobs die, complete or run for long, or when a queue backs up",
    usage:
      "alert add <name> --on <what> --webhook <url> | --slack <url> | --email <addresses> | --command <command>",
    examples: [
      "queuectl alert add deaths --on dead --slack https://hooks.slack.com/services/T0/B0/x",
      "queuectl alert add late --on slow --longer-than 2h --on backlog --older-than 30m --email ops@example.org",
      "queuectl alert add done --on completed --tag release --command './announce.sh' --gather 0",
    ],
    flags: [
      ["--on <what>", "What to tell of: dead, completed, slow or backlog; may be repeated", many],
      ["--queue <name>", "Only of this queue and its jobs"],
      ["--tag <tag>", "Only of jobs with this label"],
      ["--longer-than <duration>", "From when on a run is slow"],
      ["--more-than <n>", "A queue backs up when more jobs than this could run and wait"],
      ["--older-than <duration>", "A queue backs up when a job has waited for longer"],
      [
        "--gather <duration>",
        "What follows a message within this time is one message; 1m by default, 0 for each its own",
      ],
      ["--webhook <url>", "Post it as JSON, signed"],
      [
        "--secret-file <file>",
        "What a webhook is signed by, in base64; without it one is made and shown; - is stdin",
      ],
      ["--slack <url>", "Post it to a Slack channel's incoming webhook"],
      ["--email <addresses>", "Send it to these addresses, with commas between"],
      ["--command <command>", "Run this, with the message as JSON on its stdin"],
      json,
    ],
    load: async () => (await import("./commands/alert-add.ts")).alertAdd,
  },
  {
    name: "alert list",
    about: "Show the alerts, by name, and how their last message fared",
    flags: [json],
    load: async () => (await alert()).alertList,
  },
  {
    name: "alert show",
    takes: "<alert>",
    about: "Show one alert and its last messages",
    flags: [json],
    load: async () => (await alert()).alertShow,
  },
  {
    name: "alert test",
    takes: "<alert>",
    about: "Send a message by it at once, and say what came back",
    load: async () => (await alert()).alertTest,
  },
  {
    name: "alert pause",
    takes: "<...alert>",
    about: "Tell nothing until it is resumed",
    load: async () => (await alert()).alertPause,
  },
  {
    name: "alert resume",
    takes: "<...alert>",
    about: "Tell again of what happens from now on",
    load: async () => (await alert()).alertResume,
  },
  {
    name: "alert delete",
    takes: "<...alert>",
    about: "Remove alerts with their messages",
    load: async () => (await alert()).alertDelete,
  },

  {
    name: "config show",
    alias: "config list",
    about: "Show all settings",
    flags: [json],
    load: async () => (await config()).configShow,
  },
  {
    name: "config get",
    takes: "<key>",
    about: "Print the value of a setting",
    flags: [json],
    load: async () => (await config()).configGet,
  },
  {
    name: "config set",
    takes: "<key> <value>",
    about: "Change a setting; running workers obey at once",
    load: async () => (await config()).configSet,
  },
  {
    name: "config unset",
    takes: "<key>",
    about: "Go back to a setting's default",
    load: async () => (await config()).configUnset,
  },

  {
    name: "prune",
    about: "Remove jobs that finished long ago, with their history and output",
    examples: ["queuectl prune --dry-run", "queuectl prune --older-than 7d --state completed,dead --yes"],
    flags: [
      ["--older-than <duration>", "What finished longer ago; without it, as the settings keep each state"],
      [
        "--state <states>",
        "completed, cancelled or dead, or some with commas between; dead letters only if named",
      ],
      ["--dry-run", "Show how many would go, and remove nothing"],
      yes,
      json,
    ],
    load: async () => (await import("./commands/prune.ts")).prune,
  },
  {
    name: "export",
    about: "Print jobs as JSON Lines, in the order in which they were enqueued",
    examples: [
      "queuectl export --since 7d --attempts > jobs.jsonl",
      "queuectl export --state pending,failed | queuectl enqueue --file - --database postgres://…",
    ],
    flags: [
      ["--state <states>", "Only in this state, or in one of several with commas between"],
      ["--queue <name>", "Only of this queue"],
      ["--tag <tag>", "Only with this label"],
      ["--since <time>", "Only those enqueued since then: ISO 8601, or how long ago, such as 7d"],
      ["--attempts", "With all attempts of each"],
    ],
    load: async () => (await import("./commands/export.ts")).exportJobs,
  },
  {
    name: "backup",
    takes: "<file>",
    about: "Copy the queue to a new file while everything goes on",
    flags: [["--with-logs", "Copy the logs too, to a folder of that name with .logs behind it"]],
    load: async () => (await import("./commands/backup.ts")).backup,
  },
  {
    name: "migrate",
    about: "Move the queue to another database, with ids, history, output and settings",
    usage: "migrate --to <place> | --undo",
    examples: [
      "queuectl migrate --to postgres://queuectl@db.example/jobs",
      "queuectl migrate --database postgres://queuectl@db.example/jobs --to ~/queue",
    ],
    flags: [
      ["--to <place>", "A PostgreSQL database by its URL; a home folder, or sqlite for this one"],
      ["--undo", "Open a queue again that had moved, as it was then"],
    ],
    load: async () => (await import("./commands/migrate.ts")).migrate,
  },
  {
    name: "doctor",
    about: "Say what is wrong with the queue, and how to mend it",
    flags: [json],
    load: async () => (await import("./commands/doctor.ts")).doctor,
  },

  {
    name: "guard",
    takes: "<lease>",
    isHidden: true,
    about: "End the commands of a worker that is gone or hangs, before its lease ends",
    load: async () => (await import("./commands/guard.ts")).guardCommands,
  },

  {
    name: "web start",
    alias: "dashboard",
    about: "Serve the dashboard and the HTTP API",
    flags: [
      ["--host <address>", "Where it listens; 127.0.0.1 by default, 0.0.0.0 for everywhere"],
      ["--port <n>", "5000 by default; 0 for any free one"],
      ["--socket <path>", "Listen at a Unix socket that only you can open, not at a port"],
      ["--require-token", "Ask everyone for the token, also you"],
      ["--allowed-host <name>", "Another name it goes by; may be repeated", many],
      ["--tls-cert <file>", "Serve https with this certificate"],
      ["--tls-key <file>", "The certificate's key"],
      [
        "--trusted-proxy <address>",
        "Believe this proxy, such as 10.0.0.0/8, whose request it is; may be repeated",
        many,
      ],
      ["--base-path <path>", "Serve below this path, such as /queue"],
      ["--label <text>", "Shown on every page, such as prod"],
    ],
    load: async () => (await import("./commands/web.ts")).web,
  },
  {
    name: "web token",
    about: "Show the token that opens the dashboard, making it if there is none",
    flags: [
      ["--scope <scope>", "A token for read, operate or enqueue only; may be repeated", many],
      ["--rotate", "Replace it: the old one and its sessions end at once"],
      json,
    ],
    load: async () => (await import("./commands/web-token.ts")).webToken,
  },

  {
    name: "demo",
    about: "Show a queue full of work, and its dashboard, in a folder that is removed in the end",
    flags: [
      ["--port <n>", "Of the dashboard; any free one by default"],
      ["--keep", "Leave the folder there"],
    ],
    load: async () => (await import("./commands/demo.ts")).demo,
  },

  {
    name: "completions",
    takes: "<shell>",
    about: "Print a script that has bash, zsh or fish complete queuectl's words",
    examples: [`eval "$(queuectl completions bash)"`],
    load: async () => (await import("./commands/completions.ts")).completions,
  },
  {
    name: "man",
    about: "Print the manual page, as man(1) reads it",
    examples: ["queuectl man | man -l -"],
    load: async () => (await import("./commands/man.ts")).man,
  },
  {
    name: "complete",
    about: "Say what may stand at the end of the words behind --",
    isHidden: true,
    load: async () => (await import("./commands/complete.ts")).complete,
  },
];

export const program: Vocabulary<Command> = {
  commands,
  groups: new Map([
    ["worker", "worker start"],
    ["service", undefined],
    ["dlq", undefined],
    ["schedule", undefined],
    ["queue", undefined],
    ["alert", undefined],
    ["config", undefined],
    ["web", "web start"],
  ]),
  synonyms: new Map([
    ["add", "enqueue"],
    ["submit", "enqueue"],
    ["start", "worker start"],
    ["stop", "worker stop"],
    ["ls", "list"],
    ["jobs", "list"],
    ["ps", "list --state processing"],
    ["tail", "logs --follow"],
    ["kill", "cancel"],
    ["rm", "delete"],
    ["version", "--version"],
  ]),
  everywhere: [
    ["--database <url>", "The PostgreSQL queue at postgres://…, instead of QUEUECTL_DATABASE_URL"],
    ["-h, --help", "Show this"],
    ["-v, --version", "Show the version"],
  ],
};
