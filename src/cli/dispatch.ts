// Runs the command that the words name; turns what it refuses into a line and an exit status.

import { isSystemError, Refusal, unavailable } from "../domain/errors.ts";
import { makeContext } from "./context.ts";
import { done, statusOf } from "./exit-status.ts";
import { note, printLine } from "./output.ts";
import { program } from "./program.ts";
import { findCommand, understand } from "./words.ts";

/** Fulfilled with the exit status; an error that is a bug passes through. */
export async function runProgram(argv: readonly string[]): Promise<number> {
  try {
    return await dispatch(argv);
  } catch (error) {
    if (error instanceof Refusal) return tell(error);
    if (isSystemError(error)) return tell(unavailable(error));
    throw error;
  }
}

async function dispatch(argv: readonly string[]): Promise<number> {
  const [first, ...others] = argv;
  const asked = first === "help" ? [...others, "--help"] : argv;
  const group = groupAskedFor(asked);
  if (group !== undefined) return show((help) => help.groupHelp(group));
  const { command: called, rest } = findCommand(asked, program);
  const command = called && { ...called, ...(await called.load()) };
  const { words, options } = understand(rest, command, program.everywhere);
  if (options.version) {
    const { versionLine } = await import("./version.ts");
    await printLine(versionLine());
    return done;
  }
  if (!command) return show((help) => (options.help ? help.programHelp() : help.introduction()));
  if (options.help) return show((help) => help.commandHelp(command));
  return command.run(makeContext(options.database as string | undefined), words, options as never);
}

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

function tell({ message, advice, kind }: Refusal): number {
  note(`queuectl: ${message}${advice === undefined ? "" : ` (${advice})`}`);
  return statusOf[kind];
}
