// What an attempt is told to have cost.

import { expect, test } from "bun:test";
import { join } from "node:path";
import { tempFolder } from "../support/temp-home.ts";

const program = join(import.meta.dir, "..", "programs", "command-after-peak.ts");

test("what a worker needed for a moment is not taken for the memory of its later commands", async () => {
  using folder = tempFolder();
  const child = Bun.spawn([process.execPath, program, folder.path], { stderr: "inherit" });
  expect(await child.stdout.text()).toBe("null\n");
  expect(await child.exited).toBe(0);
});
