// From the words a user typed to words that cac reads without guessing. cac turns `007` into 7, lets a flag eat the word
// behind it and does not know commands of two words; so the words are sorted by what the command declares, and marked to stay
// text, before cac sees them.

import type { CAC, Command } from "cac";
import { misuse } from "../domain/errors.ts";
import { didYouMean } from "./nearest.ts";

/** No word can contain it, so a value that begins with it is ours to unmark and no number to cac. */
const mark = "\0";

export type Options = Readonly<Record<string, unknown>>;

/** `worker` alone means `worker start`; both names of a command are in cac's own table. */
export interface Vocabulary {
  readonly cli: CAC;
  /** Commands that are the first word of others, such as `dlq`, and which of those they mean alone. */
  readonly groups: ReadonlyMap<string, string | undefined>;
}

/** The words as cac is to be given them: command, plain words, then options, each with its value in one word. */
export function arrange(argv: readonly string[], { cli, groups }: Vocabulary): string[] {
  const dashes = argv.indexOf("--");
  const words = dashes < 0 ? [...argv] : argv.slice(0, dashes);
  const rest = dashes < 0 ? [] : argv.slice(dashes);

  const command = takeCommand(words, cli, groups);
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
  return [...(command ? [command.name] : []), ...plain, ...options, ...rest];
}

/** Removes the command's word or words from the front; undefined when there is none. */
function takeCommand(words: string[], cli: CAC, groups: Vocabulary["groups"]): Command | undefined {
  const at = words.findIndex((word) => !word.startsWith("-"));
  const first = words[at];
  if (first === undefined) return undefined;
  const named = (name: string) => cli.commands.find((command) => command.isMatched(name));

  if (!groups.has(first)) {
    const command = named(first);
    if (!command) {
      const names = new Set(
        cli.commands.flatMap(({ name, aliasNames }) => [name.split(" ")[0]!, ...aliasNames]),
      );
      throw misuse(
        `there is no command ${JSON.stringify(first)}`,
        didYouMean(first, names) ?? "queuectl --help lists the commands",
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
  const verbs = cli.commands.flatMap(({ name }) =>
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

function findOption(flag: string, command: Command | undefined, cli: CAC) {
  const known = [...(command?.options ?? []), ...cli.globalCommand.options];
  const found = known.find((option) => flagsOf(option).includes(flag.replaceAll("_", "-")));
  if (found) return found;
  throw misuse(`there is no option ${flag}`, didYouMean(flag, known.flatMap(flagsOf)) ?? helpHint(command));
}

const flagsOf = (option: { rawName: string }) =>
  option.rawName.split(/[ ,]+/).filter((part) => part.startsWith("-"));

const helpHint = (command: Command | undefined) =>
  `queuectl ${command ? `${command.name} ` : ""}--help lists them`;

const looksLikeOption = (word: string) => /^-./.test(word) && !/^-\.?\d/.test(word);

/** What cac read, with the marks taken off again. */
export function unmark<T>(value: T): T {
  if (typeof value === "string") return (value.startsWith(mark) ? value.slice(1) : value) as T;
  if (Array.isArray(value)) return value.map(unmark) as T;
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unmark(inner)])) as T;
  }
  return value;
}
