// From words to the command that they name.

import { misuse } from "../domain/errors.ts";
import { makeContext, tellIfMisspelled } from "./context.ts";
import { done } from "./exit-status.ts";
import { printLine } from "./output.ts";
import { type Entry, program } from "./program.ts";
import { findCommand, understand } from "./words.ts";

/** Fulfilled with the exit status. */
export async function dispatch(argv: readonly string[]): Promise<number> {
  const [first, ...others] = argv;
  const asked = first === "help" ? [...others, "--help"] : argv;
  const group = groupAskedFor(asked);
  if (group !== undefined) {
    const alone = program.groups.get(group);
    const command = await loaded(program.commands.find(({ name }) => name === alone));
    return show((help) => help.groupHelp(group, command));
  }
  const { command: called, rest } = findCommand(asked, program);
  const command = await loaded(called);
  const { words, options } = understand(rest, command, program.everywhere);
  if (options.version) {
    const { versionLine } = await import("./version.ts");
    await printLine(versionLine());
    return done;
  }
  if (!command) return show((help) => (options.help ? help.programHelp() : help.introduction()));
  if (options.help) return show((help) => help.commandHelp(command));
  const context = makeContext(databaseIn(options));
  // What the doctor says of it stands among the findings.
  if (command.name !== "doctor") await tellIfMisspelled(context);
  return command.run(context, words, options as never);
}

/** An empty one would be the SQLite queue of this machine. */
function databaseIn(options: Readonly<Record<string, unknown>>): string | undefined {
  if (options.database === "")
    throw misuse("--database needs a URL, such as postgres://user:password@host:5432/database");
  return options.database as string | undefined;
}

const loaded = async (entry: Entry | undefined) => entry && { ...entry, ...(await entry.load()) };

async function show(text: (help: typeof import("./help.ts")) => string): Promise<number> {
  await printLine(text(await import("./help.ts")));
  return done;
}

/** `dlq --help` is about all of `dlq`. */
function groupAskedFor(words: readonly string[]): string | undefined {
  const [first, ...others] = words.filter((word) => word !== "--help" && word !== "-h");
  const asked = words.includes("--help") || words.includes("-h");
  return asked && others.length === 0 && first !== undefined && program.groups.has(first) ? first : undefined;
}
