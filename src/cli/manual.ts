// The manual page, made of what --help is made of, for man(1): roff with the macros of man(7).

import { settingKeys } from "../domain/default-settings.ts";
import { ruleOf, type SettingKey } from "../domain/settings.ts";
import { version } from "../version.ts";
import { usageOf, whatItIs } from "./help.ts";
import { type Entry, program, shown } from "./program.ts";

/** `day`: the date of the page, such as 2027-01-31. */
export async function manual(day: string): Promise<string> {
  const commands = await Promise.all(shown.map(commandPart));
  return [
    `.TH QUEUECTL 1 ${day} "queuectl ${version}"`,
    section("NAME", "queuectl \\- a durable queue of shell commands"),
    section("SYNOPSIS", `.B queuectl\n${italic("command")} [${italic("option")} ...]`),
    section("DESCRIPTION", ...description.flatMap((text) => [".PP", line(text)]).slice(1)),
    section("COMMANDS", ...commands),
    section("EVERYWHERE", ...program.everywhere.map(([flags, about]) => entry(flags, about))),
    section("SETTINGS", line(settingsText), ...settingKeys.map(settingPart)),
    section("ENVIRONMENT", ...variables.map(([name, about]) => entry(name, about))),
    section("FILES", entry("~/.queuectl", filesText)),
    section("EXIT STATUS", ...statuses.map(([status, about]) => entry(status, about))),
    "",
  ].join("\n");
}

const description = [
  whatItIs,
  "A command that is handed to queuectl is stored durably, run by a worker, retried with exponential backoff when it fails, kept in a dead letter queue when it keeps failing, and visible all the while.",
  "An id may be shortened to any unambiguous beginning. Durations are seconds or 90s, 10m, 1h30m, 2d. Data goes to stdout and talk to stderr.",
];

const settingsText =
  "queuectl config set changes one, and workers that run obey at once. QUEUECTL_ and its name in capitals, in the environment, overrides it.";

const variables = [
  ["QUEUECTL_HOME", "Where everything lives, instead of ~/.queuectl."],
  ["QUEUECTL_DATABASE_URL", "A queue in PostgreSQL, shared by several machines."],
  ["QUEUECTL_LISTEN_URL", "Where PostgreSQL is listened to when a pooler stands before it; off for nowhere."],
  ["NO_COLOR", "No colours, also at a terminal."],
  [
    "QUEUECTL_JOB_ID, QUEUECTL_ATTEMPT, QUEUECTL_QUEUE",
    "Set for a command that is run: its job, the number of the run, and the queue it came from.",
  ],
] as const;

const filesText =
  "The database queue.db, and the output of jobs and workers below logs. Only its owner may read it.";

const statuses = [
  ["0", "Done."],
  ["1", "It could not be done: no such job, an ambiguous id, the wrong state, an unusable database."],
  ["2", "Used wrongly: the message names the word or value, and says what is accepted."],
  [
    "others",
    "run and wait pass on the job's own: its exit status, 128 + signal, 124 when it timed out, 130 when it was cancelled.",
  ],
] as const;

async function commandPart(one: Entry): Promise<string> {
  const command = { ...one, ...(await one.load()) };
  const { name, alias, about, flags = [], examples = [] } = command;
  return [
    `.SS ${text(alias === undefined ? name : `${name}, ${alias}`)}`,
    `.B ${text(`queuectl ${usageOf(command)}`)}`,
    ".PP",
    line(`${about}.`),
    ...flags.map(([flag, aboutFlag]) => entry(flag, `${aboutFlag}.`)),
    ...examples.flatMap((example) => [".PP", ".EX", verbatim(`  ${example}`), ".EE"]),
  ].join("\n");
}

function settingPart(key: SettingKey): string {
  const { about, accepts, show, default: byDefault } = ruleOf(key);
  return entry(key, `${about}. Accepts ${accepts}; ${show(byDefault) || "nothing"} by default.`);
}

const section = (title: string, ...parts: readonly string[]) => [`.SH ${title}`, ...parts].join("\n");

const entry = (term: string, about: string) => `.TP\n.B ${text(term)}\n${line(about)}`;

const italic = (word: string) => `\\fI${word}\\fR`;

/** Lines of their own, short ones as mandoc(1) wants them, of which no word is taken for a request. */
const line = (plain: string) =>
  plain
    .match(/\S.{0,50}\S*(?=\s|$)/gs)!
    .map(verbatim)
    .join("\n");

const verbatim = (plain: string) => text(plain).replace(/^(?=[.'])/, "\\&");

/** What roff would print as something else, or not so that it can be copied. */
const escapes: Readonly<Record<string, string>> = {
  "\\": "\\e",
  "-": "\\-",
  '"': "\\(dq",
  "'": "\\(aq",
  "`": "\\(ga",
  "^": "\\(ha",
  "~": "\\(ti",
};

const text = (plain: string) =>
  plain.replace(/[\\\-"'`^~]|[^\x20-\x7e]/gu, (letter) => escapes[letter] ?? `\\[u${hex(letter)}]`);

const hex = (letter: string) => letter.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
