// Where a socket may be made, and by whom it can be opened.

import { expect, test } from "bun:test";
import { chmodSync, chownSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { asOwnerOnly, prepareSocket } from "../../src/web/socket.ts";
import { tempFolder } from "../support/temp-home.ts";

test("a socket is made only in a folder in which nobody else can replace it", async () => {
  using temp = tempFolder();
  const folder = join(temp.path, "run");
  mkdirSync(folder);
  const prepared = () => prepareSocket(join(folder, "web"));
  for (const [mode, isFine] of [
    [0o755, true],
    [0o775, false],
    [0o757, false],
    [0o1777, true],
  ] as const) {
    chmodSync(folder, mode);
    if (isFine) await prepared();
    else await expect(prepared()).rejects.toThrow("others can replace what is in");
  }
});

test.if(process.geteuid?.() === 0)("nor in another user's, but in root's", async () => {
  using temp = tempFolder();
  chmodSync(temp.path, 0o1777);
  const folder = join(temp.path, "run");
  mkdirSync(folder, { mode: 0o755 });
  chownSync(folder, 65534, 65534);
  await expect(prepareSocket(join(folder, "web"))).rejects.toThrow("others can replace what is in");
  process.seteuid!(65534);
  try {
    await prepareSocket(join(folder, "web"));
    await prepareSocket(join(temp.path, "web"));
  } finally {
    process.seteuid!(0);
  }
});

test("what is made besides is made with the modes of before", () => {
  const before = process.umask();
  expect(() =>
    asOwnerOnly(() => {
      expect(process.umask()).toBe(0o177);
      throw new Error("in use");
    }),
  ).toThrow("in use");
  expect(process.umask()).toBe(before);
});
