// A short torture run, and the proof that its audit can fail.

import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";

// It ends when the queue is empty, however long this machine takes for it.
setDefaultTimeout(300_000);

const torture = async (...words: string[]) => {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "torture.ts"), ...words], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const said = await child.stdout.text();
  return { status: await child.exited, said };
};

test("workers that are killed again and again lose nothing, double nothing and leave nothing", async () => {
  const { status, said } = await torture("--jobs", "300", "--kills", "12", "--minutes", "0.25");
  expect(said).toContain("nothing lost, nothing doubled, nothing left");
  expect(status).toBe(0);
});

test("a queue in which anybody may write a result does not pass the audit", async () => {
  const { status, said } = await torture(
    "--jobs",
    "100",
    "--kills",
    "6",
    "--minutes",
    "0.1",
    "--break-the-fence",
  );
  expect(said).toContain("has no result");
  expect(status).toBe(1);
});
