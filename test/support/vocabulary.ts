// A small command line with everything the real one has: commands of one and two words, other names, groups that mean something
// alone and groups that do not, flags, values, repeatable values.

import { type Declared, findCommand, understand, type Vocabulary } from "../../src/cli/words.ts";

const vocabulary: Vocabulary<Declared> = {
  commands: [
    {
      name: "enqueue",
      takes: "[...command]",
      flags: [
        ["--id <id>", ""],
        ["--max-retries <n>", ""],
        ["--tag <tag>", "", "repeatable"],
        ["--json", ""],
      ],
    },
    {
      name: "list",
      flags: [
        ["--state <state>", ""],
        ["--json", ""],
      ],
    },
    { name: "show", takes: "<id>", flags: [["--json", ""]] },
    {
      name: "worker start",
      flags: [
        ["--count <n>", ""],
        ["--detach", ""],
      ],
    },
    {
      name: "worker stop",
      flags: [
        ["--id <worker>", ""],
        ["--force", ""],
      ],
    },
    { name: "dlq list", flags: [["--json", ""]] },
    { name: "dlq retry", takes: "<...id>" },
    { name: "dlq retry-all" },
    { name: "config show", alias: "config list", flags: [["--json", ""]] },
    { name: "config set", takes: "<key> <value>" },
  ],
  groups: new Map([
    ["worker", "worker start"],
    ["dlq", undefined],
    ["config", undefined],
  ]),
  everywhere: [
    ["-h, --help", ""],
    ["-v, --version", ""],
  ],
};

/** What it understands of some words. */
export function understood(typed: readonly string[]) {
  const { command, rest } = findCommand(typed, vocabulary);
  return { command: command?.name, ...understand(rest, command, vocabulary.everywhere) };
}
