// From the words a user typed to a command, its plain words and its options. cac reads them, but turns `007` into 7, lets a flag
// eat the word behind it and does not know commands of two words; so the words are sorted by what the command declares, and marked
// to stay text, before cac sees them. Only the called command is declared: cac reads the words anew for each that it knows.

import { type CAC, cac } from "cac";
import { misuse } from "../domain/errors.ts";
import { didYouMean } from "../domain/nearest.ts";

/** As cac has it: `--file <file>` takes a value, `--json` none. */
export type Flag = readonly [flags: string, about: string, often?: "repeatable"];

/** What has to be known of a command to find it. */
export interface Named {
  /** One word or two. */
  readonly name: string;
  readonly alias?: string;
  /** Its plain words, as cac has it: `<id>`, `[...command]`. */
  readonly takes?: string;
}

/** What has to be known of a command to read its words. */
export interface Declared extends Named {
  readonly flags?: readonly Flag[];
}

export interface Vocabulary<Command extends Named = Named> {
  readonly commands: readonly Command[];
  /** Words that others follow, such as `dlq`, and which of those commands they mean alone. */
  readonly groups: ReadonlyMap<string, string | undefined>;
  /** First words that people know from elsewhere, and what they are here. */
  readonly synonyms?: ReadonlyMap<string, readonly string[]>;
  /** Flags of every command, and of none. */
  readonly everywhere: readonly Flag[];
}

type Options = Readonly<Record<string, unknown>>;

export interface Understood {
  readonly words: readonly string[];
  /** `dashed` are the words behind `--`. */
  readonly options: Options & { readonly dashed: readonly string[] };
}

/** The command that is called, and the words beside its name; undefined when there is none. */
export function findCommand<Command extends Named>(
  argv: readonly string[],
  vocabulary: Vocabulary<Command>,
): { readonly command: Command | undefined; readonly rest: readonly string[] } {
  const [words, dashed] = splitAtDashes(argv);
  const command = takeCommand(words, vocabulary);
  return { command, rest: [...words, ...dashed] };
}

/** Reads the words, or refuses them. Who asks for help or the version need not have said all that the command wants. */
export function understand(
  rest: readonly string[],
  command: Declared | undefined,
  everywhere: readonly Flag[],
): Understood {
  const [words, dashed] = splitAtDashes(rest);
  const cli = declare(command, everywhere);
  const arranged = arrange(words, command, cli);
  try {
    cli.parse(["", "", ...arranged, ...dashed], { run: false });
    const { "--": behind, ...options } = unmark(cli.options) as Options & { "--": string[] };
    if (!options.help && !options.version) check(cli);
    return { words: cli.args.map(unmark), options: { ...options, dashed: behind } };
  } catch (error) {
    // cac does not export its error class.
    if (!(error instanceof Error) || error.name !== "CACError") throw error;
    throw misuse(plainly(error.message), `queuectl ${command ? `${command.name} ` : ""}--help shows how`);
  }
}

function splitAtDashes(argv: readonly string[]): [before: string[], from: string[]] {
  const dashes = argv.indexOf("--");
  return dashes < 0 ? [[...argv], []] : [argv.slice(0, dashes), argv.slice(dashes)];
}

/** Removes the command's word or words from the front; undefined when there is none. */
function takeCommand<Command extends Named>(
  words: string[],
  { commands, groups, synonyms }: Vocabulary<Command>,
): Command | undefined {
  const at = words.findIndex((word) => !word.startsWith("-"));
  const first = words[at];
  if (first === undefined) return undefined;
  const named = (name: string) => commands.find((command) => command.name === name || command.alias === name);

  if (!groups.has(first)) {
    const command = named(first);
    if (!command) {
      // What is no command may be a value with a password in it, and is not said again.
      if (first.includes("://"))
        throw misuse("the command comes before its options", "queuectl --help lists the commands");
      const names = commands.flatMap(({ name, alias = [] }) => [name.split(" ")[0]!, alias].flat());
      const synonym = synonyms?.get(first);
      throw misuse(
        `there is no command ${JSON.stringify(first)}`,
        synonym === undefined
          ? (didYouMean(first, new Set(names)) ??
              (first.includes(" ")
                ? "queuectl enqueue stores a command to be run"
                : "queuectl --help lists the commands"))
          : `did you mean ${synonym.map((ours) => `queuectl ${ours}`).join(" or ")}?`,
      );
    }
    words.splice(at, 1);
    return command;
  }

  const second = words[at + 1];
  const pair = second === undefined ? undefined : named(`${first} ${second}`);
  if (pair) {
    words.splice(at, 2);
    return pair;
  }
  const verbs = commands.flatMap(({ name }) =>
    name.startsWith(`${first} `) ? [name.slice(first.length + 1)] : [],
  );
  const accepted = `queuectl ${first} ${verbs.join("|")}`;
  if (second !== undefined && !second.startsWith("-")) {
    throw misuse(`there is no command "${first} ${second}"`, didYouMean(second, verbs) ?? accepted);
  }
  const alone = groups.get(first);
  if (alone === undefined) throw misuse(`${first} needs a second word`, accepted);
  words.splice(at, 1);
  return named(alone);
}

function declare(command: Declared | undefined, everywhere: readonly Flag[]): CAC {
  const cli = cac("queuectl");
  for (const [flags, about] of everywhere) cli.option(flags, about);
  if (command) {
    const declared = cli.command(`${command.name} ${command.takes ?? ""}`, "");
    for (const [flags, about, often] of command.flags ?? [])
      declared.option(flags, about, often && { type: [] });
    declared.action(() => {});
  }
  return cli;
}

/** No word can contain it, so a value that begins with it is ours to unmark and no number to cac. */
const mark = "\0";

/** The words as cac is to be given them: command, plain words, then options, each with its value in one word. */
function arrange(words: readonly string[], command: Declared | undefined, cli: CAC): string[] {
  const plain: string[] = [];
  const options: string[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    if (!looksLikeOption(word)) {
      plain.push(mark + word);
      continue;
    }
    const equals = word.indexOf("=");
    const typed = equals < 0 ? word : word.slice(0, equals);
    const option = findOption(typed, command, cli);
    const flag = typed.replaceAll("_", "-");
    if (option.isBoolean) {
      if (equals >= 0) throw misuse(`${flag} takes no value`);
      options.push(flag);
      continue;
    }
    const value = equals < 0 ? words[++index] : word.slice(equals + 1);
    if (value === undefined || (equals < 0 && looksLikeOption(value))) {
      throw misuse(`${flag} needs a value: ${option.rawName}`);
    }
    options.push(`${flag}=${mark}${value}`);
  }
  return [...(command ? [command.name] : []), ...plain, ...options];
}

function findOption(flag: string, command: Declared | undefined, cli: CAC) {
  const known = [...cli.commands, cli.globalCommand].flatMap(({ options }) => options);
  const found = known.find((option) => flagsOf(option).includes(flag.replaceAll("_", "-")));
  if (found) return found;
  // Any letter is a single one off from any other.
  const near = /^-.$/.test(flag) ? undefined : didYouMean(flag, known.flatMap(flagsOf));
  throw misuse(`there is no option ${flag}`, near ?? helpHint(command));
}

const flagsOf = (option: { rawName: string }) =>
  option.rawName.split(/[ ,]+/).filter((part) => part.startsWith("-"));

const helpHint = (command: Declared | undefined) =>
  `queuectl ${command ? `${command.name} ` : ""}--help lists them`;

/** A negative number is a value; `-0` is none that anything accepts, and a flag. */
const looksLikeOption = (word: string) => /^-./.test(word) && (word === "-0" || !/^-\.?\d/.test(word));

function check(cli: CAC): void {
  for (const { name, config, rawName } of cli.matchedCommand?.options ?? []) {
    if (Array.isArray(cli.options[name]) && !config.type)
      throw misuse(`${rawName.split(" ")[0]} is given twice`);
  }
  // The command's own action does nothing; before it, cac checks what it was given.
  cli.runMatchedCommand();
}

/** What cac says of wrong use, in our words. */
function plainly(message: string): string {
  const unused = /^Unused args: (.*)$/.exec(message);
  if (unused) return `${unmarkAll(unused[1]!)} is one word too many; quote what belongs together`;
  const missing = /^missing required args for command `(.*)`$/.exec(message);
  if (missing) return `something is missing: queuectl ${missing[1]}`;
  return unmarkAll(message);
}

const unmarkAll = (text: string) => text.replaceAll(mark, "").replaceAll("`", '"');

/** What cac read, with the marks taken off again. */
export function unmark<T>(value: T): T {
  if (typeof value === "string") return (value.startsWith(mark) ? value.slice(1) : value) as T;
  if (Array.isArray(value)) return value.map(unmark) as T;
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unmark(inner)])) as T;
  }
  return value;
}
