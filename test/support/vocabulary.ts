// A small command line with everything the real one has: commands of one and two words, other names, groups that mean something
// alone and groups that do not, flags, values, repeatable values.

import { cac } from "cac";
import type { Vocabulary } from "../../src/cli/words.ts";

export function vocabulary(): Vocabulary {
  const cli = cac("queuectl");
  const nothing = () => {};
  cli
    .command("enqueue [...command]", "")
    .option("--id <id>", "")
    .option("--max-retries <n>", "")
    .option("--tag <tag>", "", { type: [] })
    .option("--json", "")
    .action(nothing);
  cli.command("list", "").option("--state <state>", "").option("--json", "").action(nothing);
  cli.command("show <id>", "").option("--json", "").action(nothing);
  cli.command("worker start", "").option("--count <n>", "").option("--detach", "").action(nothing);
  cli.command("worker stop", "").option("--id <worker>", "").option("--force", "").action(nothing);
  cli.command("dlq list", "").option("--json", "").action(nothing);
  cli.command("dlq retry <...id>", "").action(nothing);
  cli.command("dlq retry-all", "").action(nothing);
  cli.command("config show", "").alias("config list").option("--json", "").action(nothing);
  cli.command("config set <key> <value>", "").action(nothing);
  cli.option("-h, --help", "");
  cli.option("-v, --version", "");
  return {
    cli,
    groups: new Map([
      ["worker", "worker start"],
      ["dlq", undefined],
      ["config", undefined],
    ]),
  };
}
