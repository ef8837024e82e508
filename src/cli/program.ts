// The whole command line on one page. A command's file is loaded when it is called, and only then.

import { type CAC, cac } from "cac";
import { isSystemError, misuse, Refusal, unavailable } from "../domain/errors.ts";
import { version } from "../self.ts";
import { type Context, makeContext } from "./context.ts";
import { done, statusOf } from "./exit-status.ts";
import { note, printLine } from "./output.ts";
import { arrange, type Options, unmark, type Vocabulary } from "./words.ts";

/** What a command's file exports: plain words and options in, exit status out. */
type Action = (context: Context, words: readonly string[], options: never) => Promise<number>;

type Flag = readonly [flags: string, about: string, config?: { type: [] }];

/** Marks an option that may be given more than once. */
const many: { type: [] } = { type: [] };

const json: Flag = ["--json", "Print one JSON document"];
const yes: Flag = ["--yes", "Do not ask"];

const jobFlags: readonly Flag[] = [
  ["--command <command>", "The command, instead of writing it as a word"],
  ["--id <id>", "A name of your own for the job"],
  ["--max-retries <n>", "Retries after the first run, 0 to 1000"],
  ["--priority <n>", "1 to 5; 5 runs first"],
  ["--run-at <time>", "When it may first run: ISO 8601 (local without an offset), or +10m"],
  ["--delay <duration>", "How long to wait before the first run, such as 10m"],
  ["--timeout <duration>", "How long it may run, such as 30s; 0 for no limit"],
  ["--queue <name>", "The queue it goes to"],
  ["--tag <tag>", "A label; may be repeated", many],
  ["--cwd <folder>", "Where it runs; here by default"],
  ["--env <K=V|K>", "A variable for it, or one taken along from here; may be repeated", many],
];

function declare(cli: CAC, call: (action: Promise<Action>) => Promise<number>): void {
  function command(words: string, about: string, flags: readonly Flag[], load: () => Promise<Action>) {
    const declared = cli.command(words, about);
    for (const flag of flags) declared.option(...flag);
    declared.action(() => call(load()));
    return declared;
  }

  command(
    "enqueue [...command]",
    "Store a command to be run by a worker, and print its id",
    [...jobFlags, ["--file <file>", "Jobs as JSON, a JSON array or JSON Lines; - is stdin"], json],
    async () => (await import("./commands/enqueue.ts")).enqueue,
  )
    .usage("enqueue '<command>' | -- <word…> | '<json>' | --file <file> [options]")
    .example("queuectl enqueue 'ffmpeg -i in.mov out.mp4' --priority 5")
    .example("queuectl enqueue --delay 10m -- cp 'a file' /backup")
    .example(`queuectl enqueue '{"command": "make test", "max_retries": 0}'`);
  command(
    "run [...command]",
    "Store a command, run it here at once, and exit with its exit status",
    jobFlags,
    async () => (await import("./commands/run.ts")).run,
  ).usage("run '<command>' | -- <word…> [options]");

  command(
    "worker start",
    "Run jobs until stopped; the first Ctrl-C finishes the current ones, the second gives them back",
    [
      ["--count <n>", "How many jobs to run at once; 1 by default"],
      ["--detach", "Run in the background"],
      ["--until-empty", "Go when nothing waits or runs any more"],
      ["--queue <name>", "Serve only this queue; may be repeated", many],
      ["--quiet", "Say nothing here; queuectl worker logs has it all the same"],
      ["--poll <seconds>", "How often to look for jobs unasked, instead of the setting poll_interval"],
    ],
    async () => (await import("./commands/worker-start.ts")).workerStart,
  );
  command(
    "worker stop",
    "Ask this machine's workers to finish their jobs and go",
    [
      ["--id <worker>", "Only this worker"],
      ["--wait", "Return when they are gone"],
      ["--timeout <duration>", "How long to wait; 10 s by default"],
      ["--force", "End their jobs and give them back to the queue"],
      [
        "--leave-running",
        "Go at once and leave their commands running for the next worker, also a newer version",
      ],
    ],
    async () => (await import("./commands/worker-stop.ts")).workerStop,
  );
  command(
    "worker list",
    "Show the workers",
    [json],
    async () => (await import("./commands/worker-list.ts")).workerList,
  );
  command(
    "worker forget <worker>",
    "Say that a worker of another host or container is gone for good; its jobs run again",
    [yes],
    async () => (await import("./commands/worker-forget.ts")).workerForget,
  );
  command(
    "worker logs <worker>",
    "Show what a worker said",
    [
      ["--lines <n>", "How many of the last lines; 50 by default"],
      ["--follow", "Go on showing what it says"],
    ],
    async () => (await import("./commands/worker-logs.ts")).workerLogs,
  );

  command(
    "status",
    "Show how many jobs are in which state, and how runs went",
    [json],
    async () => (await import("./commands/status.ts")).status,
  );
  command(
    "list",
    "Show jobs, the newest first",
    [
      ["--state <state>", "pending, processing, completed, failed, dead or cancelled"],
      ["--queue <name>", "Of this queue"],
      ["--tag <tag>", "With this label"],
      ["--search <text>", "With this in their id or command"],
      ["--limit <n>", "At most so many; 50 by default, 0 for all"],
      json,
    ],
    async () => (await import("./commands/list.ts")).list,
  );
  command(
    "show <id>",
    "Show one job and its attempts",
    [json],
    async () => (await import("./commands/show.ts")).show,
  );
  command(
    "logs <id>",
    "Show what a job printed",
    [
      ["--follow", "Go on until the job is settled"],
      ["--attempt <n>", "Of this attempt; the newest by default"],
    ],
    async () => (await import("./commands/logs.ts")).logs,
  );
  command(
    "wait <...id>",
    "Wait until jobs are settled, and exit with their exit status",
    [["--timeout <duration>", "How long to wait at most; exits with 124 then"]],
    async () => (await import("./commands/wait.ts")).wait,
  );
  command(
    "cancel <...id>",
    "Stop jobs that wait or run",
    [["--wait", "Return when they have ended"]],
    async () => (await import("./commands/cancel.ts")).cancel,
  );
  command(
    "retry <...id>",
    "Run jobs now, or once more",
    [],
    async () => (await import("./commands/retry.ts")).retry,
  );
  command(
    "delete <...id>",
    "Remove jobs, their history and their logs",
    [],
    async () => (await import("./commands/delete.ts")).deleteJobs,
  );

  const dlq = () => import("./commands/dlq.ts");
  command(
    "dlq list",
    "Show the dead letters",
    [["--limit <n>", "At most so many; 50 by default, 0 for all"], json],
    async () => (await dlq()).dlqList,
  );
  command(
    "dlq retry <...id>",
    "Put dead letters back into their queue",
    [],
    async () => (await dlq()).dlqRetry,
  );
  command(
    "dlq retry-all",
    "Put all dead letters back into their queues",
    [],
    async () => (await dlq()).dlqRetryAll,
  );
  command("dlq delete <...id>", "Remove dead letters", [], async () => (await dlq()).dlqDelete);
  command("dlq purge", "Remove all dead letters", [yes], async () => (await dlq()).dlqPurge);

  const config = () => import("./commands/config.ts");
  command("config show", "Show all settings", [json], async () => (await config()).configShow).alias(
    "config list",
  );
  command("config get <key>", "Print the value of a setting", [json], async () => (await config()).configGet);
  command(
    "config set <key> <value>",
    "Change a setting; running workers obey at once",
    [],
    async () => (await config()).configSet,
  );
  command(
    "config unset <key>",
    "Go back to a setting's default",
    [],
    async () => (await config()).configUnset,
  );

  command(
    "backup <file>",
    "Copy the queue to a new file while everything goes on",
    [["--with-logs", "Copy the logs too, to a folder of that name with .logs behind it"]],
    async () => (await import("./commands/backup.ts")).backup,
  );
  command(
    "doctor",
    "Say what is wrong with the queue, and how to mend it",
    [json],
    async () => (await import("./commands/doctor.ts")).doctor,
  );

  command(
    "web start",
    "Serve the dashboard and the HTTP API",
    [
      ["--host <address>", "Where it listens; 127.0.0.1 by default, 0.0.0.0 for everywhere"],
      ["--port <n>", "5000 by default; 0 for any free one"],
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
    async () => (await import("./commands/web.ts")).web,
  ).alias("dashboard");
  command(
    "web token",
    "Show the token that opens the dashboard, making it if there is none",
    [
      ["--scope <scope>", "A token for read, operate or enqueue only; may be repeated", many],
      ["--rotate", "Replace it: the old one and its sessions end at once"],
      json,
    ],
    async () => (await import("./commands/web-token.ts")).webToken,
  );
}

/** First words that need a second one, and what they mean alone. */
const groups = new Map([
  ["worker", "worker start"],
  ["dlq", undefined],
  ["config", undefined],
  ["web", "web start"],
]);

/** Runs the command that the words name. Fulfilled with the exit status; an error that is a bug passes through. */
export async function runProgram(argv: readonly string[]): Promise<number> {
  const cli = cac("queuectl");
  declare(cli, async (action) => {
    const { "--": dashed, ...options } = unmark(cli.options) as Options & { "--": string[] };
    const context = makeContext();
    return (await action)(context, cli.args.map(unmark), { ...options, dashed } as never);
  });
  cli.option("-h, --help", "Show this");
  cli.option("-v, --version", "Show the version");
  try {
    return await dispatch(cli, argv);
  } catch (error) {
    // cac does not export its error class.
    if (error instanceof Error && error.name === "CACError") return tell(misuse(plainly(error.message)));
    if (error instanceof Refusal) return tell(error);
    if (isSystemError(error)) return tell(unavailable(error));
    throw error;
  }
}

async function dispatch(cli: CAC, argv: readonly string[]): Promise<number> {
  const vocabulary: Vocabulary = { cli, groups };
  const [first, ...others] = argv;
  const asked = first === "help" ? [...others, "--help"] : argv;
  const group = groupAskedFor(asked);
  if (group !== undefined) {
    await printLine(groupHelp(cli, group));
    return done;
  }
  const words = arrange(asked, vocabulary);
  cli.parse(["", "", ...words], { run: false });
  if (cli.options.version) {
    await printLine(`queuectl ${version}`);
    return done;
  }
  if (cli.options.help || !cli.matchedCommand) {
    await printLine(helpText(cli));
    return done;
  }
  refuseRepeats(cli);
  return cli.runMatchedCommand();
}

/** `dlq --help` is about all of `dlq`. */
function groupAskedFor(words: readonly string[]): string | undefined {
  const [first, ...others] = words.filter((word) => word !== "--help" && word !== "-h");
  const asked = words.includes("--help") || words.includes("-h");
  return asked && others.length === 0 && first !== undefined && groups.has(first) ? first : undefined;
}

function groupHelp(cli: CAC, group: string): string {
  const members = cli.commands.filter(({ name }) => name.startsWith(`${group} `));
  const alone = groups.get(group);
  return [
    section(
      "Commands",
      members.map(({ rawName, description }) => [rawName, description] as const),
    ),
    ...(alone === undefined ? [] : [`queuectl ${group} alone is queuectl ${alone}.`]),
    `queuectl ${group} <command> --help says more about a command.`,
  ].join("\n\n");
}

function refuseRepeats(cli: CAC): void {
  for (const { name, config, rawName } of cli.matchedCommand!.options) {
    if (Array.isArray(cli.options[name]) && !config.type)
      throw misuse(`${rawName.split(" ")[0]} is given twice`);
  }
}

/** What cac says of wrong use, in our words. */
function plainly(message: string): string {
  const unused = /^Unused args: (.*)$/.exec(message);
  if (unused) return `${unmarkAll(unused[1]!)} is one word too many; quote what belongs together`;
  const missing = /^missing required args for command `(.*)`$/.exec(message);
  if (missing) return `something is missing: queuectl ${missing[1]}`;
  return unmarkAll(message);
}

const unmarkAll = (text: string) => text.replaceAll("\0", "").replaceAll("`", '"');

function tell({ message, advice, kind }: Refusal): number {
  note(`queuectl: ${message}${advice === undefined ? "" : ` (${advice})`}`);
  return statusOf[kind];
}

function helpText(cli: CAC): string {
  const command = cli.matchedCommand;
  if (!command) {
    const names = cli.commands.map(({ rawName, description }) => [rawName, description] as const);
    return [
      "queuectl runs shell commands in the background and makes sure that each one gets done.",
      section("Usage", [["queuectl <command> [options]", ""]]),
      section("Commands", names),
      section("Start with", [
        ["queuectl enqueue 'echo hello'", "store a command"],
        ["queuectl worker", "run what is stored"],
        ["queuectl status", "see how it went"],
      ]),
      "queuectl <command> --help says more about a command.",
    ].join("\n\n");
  }
  const options = [...command.options, ...cli.globalCommand.options].filter(({ name }) => name !== "version");
  const parts = [
    `${command.description}.`,
    section("Usage", [
      [
        `queuectl ${command.usageText || command.rawName} [options]`.replace(
          "[options] [options]",
          "[options]",
        ),
        "",
      ],
    ]),
    section(
      "Options",
      options.map(({ rawName, description }) => [rawName, description] as const),
    ),
  ];
  if (command.examples.length > 0)
    parts.push(
      section(
        "Examples",
        command.examples.map((text) => [String(text), ""]),
      ),
    );
  return parts.join("\n\n");
}

function section(title: string, rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return [`${title}:`, ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd())].join(
    "\n",
  );
}
