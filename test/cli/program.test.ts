// The page of all commands and the files of the commands say the same of which there are.

import { expect, test } from "bun:test";
import { join } from "node:path";
import type { Commands } from "../../src/cli/command.ts";
import { program } from "../../src/cli/program.ts";

test("every command of the page is in the file that it loads", async () => {
  for (const { name, load } of program.commands)
    expect({ name, command: await load() }).toMatchObject({
      name,
      command: { run: expect.any(Function) },
    });
});

test("every command that a file has is on the page", async () => {
  const folder = join(import.meta.dir, "../../src/cli/commands");
  const files = [...new Bun.Glob("*.ts").scanSync(folder)];
  const declared = await Promise.all(
    files.map(async (file) => {
      const { commands = {} }: { commands?: Commands } = await import(join(folder, file));
      return Object.keys(commands);
    }),
  );
  expect(declared.flat().toSorted()).toEqual(program.commands.map(({ name }) => name).toSorted());
});

test("what --cwd is without being said is told as each command has it", async () => {
  const told = async (name: string) => {
    const { flags = [] } = await program.commands.find((command) => command.name === name)!.load();
    return flags.find(([flag]) => flag.startsWith("--cwd "))?.[1];
  };
  for (const name of ["enqueue", "run", "schedule add"])
    expect(await told(name)).toEndWith("; here by default");
  for (const name of ["edit", "dlq retry"]) expect(await told(name)).toBe("Where it runs");
  expect(await told("schedule import")).toEndWith("; the home folder by default");
});
