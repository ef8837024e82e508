import { expect, test } from "bun:test";
import { join } from "node:path";

const source = join(import.meta.dir, "../../src/runner/timeout.ts");

test("a time that is up already, as of a command that was taken over late, ends at once and without a word", async () => {
  const program = `import { timeout } from ${JSON.stringify(source)}; timeout(-5000, () => console.log("over"));`;
  const child = Bun.spawn([process.execPath, "-e", program], { stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  expect({ stdout, stderr }).toEqual({ stdout: "over\n", stderr: "" });
});
