// The README leads to all that there is, and docs/ is whole: what the program has is in it. The program itself is asked what it has.
// That what they show is true, is the matter of docs.test.ts.

import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { environmentName, settingKeys } from "../src/domain/default-settings.ts";
import { jobStates, newJob } from "../src/domain/job.ts";
import { jobJson } from "../src/domain/json.ts";
import type { SettingRule } from "../src/domain/setting-kinds.ts";
import { type SettingKey, settingRules } from "../src/domain/settings.ts";
import { anchorsOf, linksOf } from "./support/documents.ts";
import { program } from "./support/program.ts";

// Calls the program many times on a shared machine: what never comes fails late rather than what comes slowly fails early.
setDefaultTimeout(120_000);

const root = resolve(import.meta.dir, "..");
const textOf = (path: string) => readFileSync(join(root, path), "utf8");
const readme = textOf("README.md");
const commandsPage = textOf("docs/commands.md");
const settingsPage = textOf("docs/settings.md");

const links = linksOf({ path: "README.md", text: readme }).map(({ path }) => path);

interface Command {
  readonly name: string;
  /** `--json`, …; without `--help`, which every command has. */
  readonly flags: readonly string[];
}

let commands: readonly Command[] = [];

beforeAll(async () => {
  const help = await helpOf();
  const titles = Array.from(help.matchAll(/^(.+):$/gm), ([, title]) => title!);
  const listed = titles.filter((title) => title !== "Usage" && title !== "Start with");
  expect(listed.length).toBeGreaterThan(1);
  const names = listed
    .flatMap((title) => sectionOf(help, title))
    .map((line) => /^(?:[a-z-]+ ?)+(?= |$)/.exec(line)![0].trim());
  commands = await Promise.all(
    names.map(async (name) => {
      const options = sectionOf(await helpOf(...name.split(" ")), "Options");
      return {
        name,
        flags: options.flatMap((line) => line.match(/^(?:-\w, )?(--[a-z-]+)/)?.[1] ?? []).filter(isOwn),
      };
    }),
  );
});

/** What every command has is documented once. */
const isOwn = (flag: string) => flag !== "--help" && flag !== "--database";

async function helpOf(...words: string[]): Promise<string> {
  const child = Bun.spawn([...program, ...words, "--help"], { stdin: "ignore", stdout: "pipe" });
  return child.stdout.text();
}

/** The lines of a section of a help text, without their indentation. */
function sectionOf(help: string, title: string): string[] {
  const [, after = ""] = help.split(`\n${title}:\n`);
  const [section = ""] = after.split("\n\n");
  return section.split("\n").map((line) => line.trim());
}

/** The part of a document below a heading, up to the next heading of the same or a higher level. */
function below(heading: RegExp, text: string): string {
  const start = text.search(heading);
  if (start < 0) return "";
  const level = /^#+/.exec(text.slice(start))![0].length;
  const rest = text.slice(start).split("\n").slice(1).join("\n");
  const end = rest.search(new RegExp(`^#{1,${level}} `, "m"));
  return end < 0 ? rest : rest.slice(0, end);
}

/** The section that tells of a command: `worker stop` is told of below `worker`. */
const toldOf = ({ name }: Command) => below(headingOf(name), commandsPage);

const headingOf = (name: string) => new RegExp(`^## .*\`${name.split(" ")[0]}\`.*$`, "m");

test("the first thing it shows is how to set up and how to test", () => {
  const firstBlock = /```sh\n(.*?)```/s.exec(readme)![1];
  expect(firstBlock).toBe(
    "npm install -g bun@1.4.5 && bun install && bun queuectl run 'echo hello'\nbun test\n",
  );
  expect(readme.indexOf("```sh")).toBeLessThan(200);
});

test("every command stands in the README, with the way to what is told of it", () => {
  const rows = below(/^## Commands$/m, readme)
    .split("\n")
    .filter((line) => line.startsWith("|"));
  const names = [...new Set(commands.map(({ name }) => name.split(" ")[0]!))];
  const missing = names.filter((name) => {
    const [heading = ""] = headingOf(name).exec(commandsPage) ?? [];
    const [anchor] = anchorsOf({ path: "docs/commands.md", text: heading });
    return !rows.some((row) =>
      [...row.matchAll(/\[([^\]]+)\]\(docs\/commands\.md#([\w-]+)\)/g)].some(
        ([, named, target]) => named!.includes(`\`${name}\``) && target === anchor,
      ),
    );
  });
  expect(missing).toEqual([]);
});

test("every command is documented", () => {
  expect(commands.length).toBeGreaterThan(20);
  const missing = commands.filter((command) => !toldOf(command).includes(`\`queuectl ${command.name}`));
  expect(missing.map(({ name }) => name)).toEqual([]);
});

test("every option is documented where its command is", () => {
  const missing = commands.flatMap((command) =>
    command.flags
      .filter((flag) => !new RegExp(`${flag}(?![a-z-])`).test(toldOf(command)))
      .map((flag) => `${command.name} ${flag}`),
  );
  expect(commands.flatMap(({ flags }) => flags).length).toBeGreaterThan(40);
  expect(commandsPage).toContain("`--database <url>`");
  expect(missing).toEqual([]);
});

test("no option is documented that there is not", () => {
  const flags = new Set(commands.flatMap((command) => command.flags));
  const told = `${below(/^## Commands$/m, readme)}${commandsPage}`.matchAll(/`(--[a-z-]+)[^`]*`/g);
  const others = [...told]
    .map(([, flag]) => flag!)
    .filter((flag) => !flags.has(flag) && flag !== "--help" && flag !== "--database");
  expect(others).toEqual([]);
});

test("every setting is documented with its default", () => {
  const section = below(/^## Settings$/m, readme);
  const defaults = settingKeys.map((key) => {
    const rule = settingRules[key] as SettingRule<(typeof settingRules)[SettingKey]["default"]>;
    return [key, rule.show(rule.default)];
  });
  expect(settingsIn(settingsPage)).toEqual(Object.fromEntries(defaults));
  expect(Object.fromEntries(defaults)).toMatchObject(settingsIn(section));
  expect(Object.keys(settingsIn(section)).length).toBeGreaterThan(3);
  expect(settingsPage).toContain(environmentName("max_retries"));
  expect(section).toContain(environmentName("max_retries"));
});

/** The settings in a table, with the defaults it tells. */
const settingsIn = (text: string) =>
  Object.fromEntries(
    [...text.matchAll(/^\| `(\w+)` +\| ([^|]*?) +\|/gm)].map(([, key, shown]) => [
      key!,
      shown!.replaceAll("`", ""),
    ]),
  );

test("every key of a job and every state is documented", () => {
  const section = below(/^## A job in JSON$/m, commandsPage);
  const defaults = { max_retries: 3, priority: 1, timeout: 0, cwd: "/", env: {} };
  const job = jobJson({
    ...newJob({ command: "true" }, defaults),
    seq: 1,
    id: "a",
    state: "pending",
    attempts: 0,
    unmet: 0,
    run_at: 0,
    next_run_at: 0,
    created_at: 0,
    updated_at: 0,
    started_at: null,
    finished_at: null,
    last_exit_code: null,
    last_error: null,
    last_duration: null,
    worker_id: null,
  });
  const words = [...Object.keys(job), ...jobStates];
  expect(words.filter((word) => !section.includes(`\`${word}\``))).toEqual([]);
});

test("the picture of a job's life has every state", () => {
  const [, picture = ""] = /\((docs\/images\/\S+\.svg)\)/.exec(below(/^## A job's life$/m, readme)) ?? [];
  const labels = [...textOf(picture).matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, label]) => label!);
  expect(jobStates.filter((state) => !labels.includes(state))).toEqual([]);
});

test("every promise that has a test is named", () => {
  const proofs = [...new Bun.Glob("test/promises/*.test.ts").scanSync(root)];
  expect(proofs.filter((path) => !links.includes(path))).toEqual([]);
});
