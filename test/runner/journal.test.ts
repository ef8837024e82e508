// The shell that keeps a journal runs a command as `/bin/sh -c` does, whatever the command is made of.

import { describe, expect, test } from "bun:test";
import { chmodSync, closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { journalingShell, readJournal } from "../../src/runner/journal.ts";
import { tempFolder } from "../support/temp-home.ts";

const run = "1.1";

interface Ran {
  readonly stdout: string;
  readonly says: boolean;
  readonly status: number;
}

async function ranBy(words: readonly string[], cwd: string, journal: number): Promise<Ran> {
  const child = Bun.spawn([...words], { cwd, stdio: ["ignore", "pipe", "pipe", journal] });
  const [stdout, stderr, status] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  // Shells say it in their own words, and in which line of what they were given.
  return { stdout, says: stderr !== "", status };
}

/** What the journal says of the end of the one run in it, and of its shell. */
function journaled(command: string, folder: string) {
  const path = join(folder, "journal");
  const journal = openSync(path, "a");
  const words = journalingShell(command, run, { cgroup: null, limit: "" });
  return { words, journal, entry: () => readJournal(path).get(run)!, close: () => closeSync(journal) };
}

describe("the shell that keeps a journal", () => {
  const commands = [
    "echo plain words",
    "echo 2",
    "echo -n",
    "true",
    ":",
    "pwd",
    "test -d /",
    "test",
    "test 1 -eq",
    "test -e /dev/fd/4",
    "test -v 1",
    "ls -d /",
    "/bin/false",
    "nosuch-program --at all",
    "./script one two",
    ". ./arguments",
    "command . ./arguments",
    "eval exit 4",
    "exit 3",
    "exec ls -d /",
    "WORD=seen printenv WORD",
    "set -e -- one",
    "shift",
    "cd /",
    "if",
    "if true",
    "while true",
    "for",
    "case x in",
    "fi",
    "function",
    "echo a; exit 5",
    "echo one\necho two",
    "kill -TERM $$",
    "trap 'echo trapped' EXIT; exit 6",
    "trap 'echo trapped >&2' EXIT",
    "A=1 . ./arguments",
    "A=1 command shift",
    "printenv --null=",
    'echo "$#" "$@"',
    "echo to stderr >&2",
  ];
  for (const command of commands) {
    test(`runs ${JSON.stringify(command)} as sh does, and writes how it ended`, async () => {
      using folder = tempFolder();
      writeFileSync(join(folder.path, "script"), '#!/bin/sh\necho "$#" "$@"\nexit 7\n');
      chmodSync(join(folder.path, "script"), 0o700);
      writeFileSync(join(folder.path, "arguments"), 'echo "$#" "$@"\n');
      const { words, journal, entry, close } = journaled(command, folder.path);
      const plain = await ranBy(["/bin/sh", "-c", command], folder.path, journal);
      const ours = await ranBy(words, folder.path, journal);
      close();
      expect(ours).toEqual(plain);
      expect(entry().status).toBe(ours.status);
    });
  }

  test.skipIf(process.platform !== "linux")(
    "shows the journal to nothing that a command starts",
    async () => {
      using folder = tempFolder();
      const { words, journal, close } = journaled(
        "ls -l /proc/self/fd; trap 'ls -l /proc/self/fd' EXIT",
        folder.path,
      );
      const { stdout } = await ranBy(words, folder.path, journal);
      close();
      expect(stdout.match(/ 0 -> /g)).toHaveLength(2);
      expect(stdout).not.toContain("journal");
    },
  );

  test("runs a command as long as the system takes it", async () => {
    using folder = tempFolder();
    const { words, journal, close } = journaled(`/bin/true ${"a".repeat(131_060)}`, folder.path);
    const { status } = await ranBy(words, folder.path, journal);
    close();
    expect(status).toBe(0);
  });

  test.skipIf(process.platform !== "linux")(
    "is the parent of a program that is all of a command",
    async () => {
      using folder = tempFolder();
      const { words, journal, entry, close } = journaled("cat /proc/self/stat", folder.path);
      const { stdout } = await ranBy(words, folder.path, journal);
      close();
      const parent = Number(stdout.slice(stdout.lastIndexOf(")") + 2).split(" ")[1]);
      expect(parent).toBe(entry().pid!);
    },
  );
});
