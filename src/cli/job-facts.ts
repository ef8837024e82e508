// What is told of how a job is run, of one that there is and of one that a schedule makes.

import { formatDuration } from "../domain/duration.ts";
import type { NewJob } from "../domain/job.ts";
import { ruleFacts } from "../domain/rule-words.ts";
import type { Fact } from "./output.ts";

export const runFacts = ({
  tags,
  timeout,
  rules,
  cwd,
  env,
}: Pick<NewJob, "tags" | "timeout" | "rules" | "cwd" | "env">): readonly Fact[] => [
  ["tags", tags.join(", ") || null],
  ["timeout", timeout === 0 ? "none" : formatDuration(timeout)],
  ...ruleFacts(rules),
  ["directory", cwd],
  [
    "environment",
    Object.entries(env)
      .map(([name, value]) => `${name}=${value}`)
      .join(" ") || null,
  ],
];
