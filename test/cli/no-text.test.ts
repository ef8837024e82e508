// Bytes that are no UTF-8 text, which queuectl would read as others.

import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { queuectl } from "../support/queuectl.ts";
import { shell } from "../support/shell.ts";

setDefaultTimeout(180_000);

const onLinux = test.skipIf(process.platform !== "linux");

/** `printf` writes the byte 0xff. */
const byte = "\"$(printf '\\377')\"";

for (const [what, script, says] of [
  ["a word", `queuectl enqueue -- rm ${byte}`, "a word has bytes"],
  ["the one word of a command", `queuectl enqueue ${byte}`, "a word has bytes"],
  ["a variable", `queuectl enqueue true --env A=${byte}`, "a word has bytes"],
  ["the folder", `mkdir ${byte} && cd ${byte} && queuectl enqueue true`, "this folder"],
  ["the home", `QUEUECTL_HOME="$PWD/"${byte} queuectl enqueue true`, "QUEUECTL_HOME is no UTF-8 text"],
] as const) {
  onLinux(`${what} that is no text is refused, and nothing is stored`, async () => {
    await using q = queuectl();
    await q.ok("status");
    const { status, stderr } = await shell(q, script);
    expect([status, stderr]).toEqual([2, expect.stringContaining(says)]);
    expect(await q.json("list")).toEqual([]);
  });
}

onLinux("a text that holds the sign for what is none is a text", async () => {
  await using q = queuectl();
  mkdirSync(`${q.folder}/\uFFFD`);
  const { status } = await shell(q, "cd '\uFFFD' && queuectl enqueue -- echo '\uFFFD'");
  expect(status).toBe(0);
  expect(await q.json("list")).toMatchObject([{ command: "echo '\uFFFD'", cwd: `${q.folder}/\uFFFD` }]);
});
