// What somebody meets first: queuectl without a word, and --version.

import { expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { program } from "../support/program.ts";
import { queuectl } from "../support/queuectl.ts";
import { shell } from "../support/shell.ts";
import { tempFolder } from "../support/temp-home.ts";
import { atTerminal } from "../support/terminal.ts";

setDefaultTimeout(180_000);

const root = resolve(import.meta.dir, "../..");

test("alone it says what it is and three commands to try, which work in their order", async () => {
  await using q = queuectl();
  const { status, stdout, stderr } = await q();
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toStartWith("queuectl runs shell commands");
  expect(stdout).toContain("queuectl demo");
  expect(stdout).toContain("--help");
  const lines = [...stdout.matchAll(/^ {2}(queuectl .*?) {2}/gm)].map(([, line]) => line!);
  expect(lines).toHaveLength(3);
  const results = [];
  for (const line of lines) results.push(await shell(q, line));
  expect(results.map(({ status }) => status)).toEqual([0, 0, 0]);
  expect(results[2]!.stdout.toString()).toContain("completed");
});

test("at a terminal, help keeps to its width, and says the same", async () => {
  await using q = queuectl();
  const words = (text: string) => text.split(/\s+/).filter(Boolean).join(" ");
  for (const command of [["--help"], ["enqueue", "--help"], ["schedule", "add", "--help"]]) {
    const terminal = atTerminal(q, command, { columns: 80 });
    expect(await terminal.exited()).toBe(0);
    const lines = terminal.shown().split("\r\n");
    const typed = lines.filter((line) => /^ {2}(?!queuectl|find|enqueue ')/.test(line));
    expect(typed.filter((line) => Bun.stringWidth(line) > 80)).toEqual([]);
    expect(words(terminal.shown())).toBe(words(await q.ok(...command)));
  }
});

/** Empty where the tests are in no checkout, or git does not trust whose it is. */
const head = Bun.spawnSync(["git", "-C", root, "rev-parse", "HEAD"]).stdout.toString().trim();

test.skipIf(head === "")("--version says the version, and in a checkout its commit", () => {
  const said = Bun.spawnSync([...program, "--version"])
    .stdout.toString()
    .trim();
  const [, version, commit] = /^queuectl (\S+) \(([0-9a-f]{7,})(?:-dirty)?\)$/.exec(said) ?? [];
  expect(version).toBe(packageJson.version);
  expect(head).toStartWith(commit!);
});

test("a copy inside of another repository does not pass that one's commit off as its own", () => {
  using folder = tempFolder();
  const copy = join(folder.path, "node_modules", "queuectl");
  mkdirSync(copy, { recursive: true });
  for (const name of ["queuectl.ts", "package.json", "src"])
    cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  const commit = `git init -q . && git -c user.name=a -c user.email=a@example.org commit -q --allow-empty -m first`;
  expect(Bun.spawnSync(["/bin/sh", "-c", commit], { cwd: folder.path }).exitCode).toBe(0);
  const { stdout } = Bun.spawnSync([process.execPath, join(copy, "queuectl.ts"), "--version"]);
  expect(stdout.toString()).toBe(`queuectl ${packageJson.version}\n`);
});
