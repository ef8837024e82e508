// What is left out of a log that is too long, whenever the worker that looks after it is killed.

import { describe, expect, test } from "bun:test";
import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gapPath, readGap, writeGap } from "../../src/gap.ts";
import { openLog, watchSize } from "../../src/runner/output.ts";
import { punch } from "../../src/runner/punch.ts";
import { openFileLog, piecesFrom } from "../../src/store/logs.ts";
import { tempFolder } from "../support/temp-home.ts";

const whole = Buffer.from(Array.from({ length: 5000 }, (_, n) => `line ${n}\n`).join(""));
const [most, tail] = [8192, 2048];
const kept = () => ({ most, tail });
const gap = { from: most - tail, to: whole.length - tail };
const left = Buffer.concat([whole.subarray(0, gap.from), whole.subarray(gap.to)]);

/** What a reader gets, with the places where it begins. */
async function read(path: string) {
  using log = openFileLog(path)!;
  const pieces = await Array.fromAsync(piecesFrom(log, 0));
  return {
    bytes: Buffer.concat(pieces.map(({ bytes }) => bytes)),
    starts: pieces.map(({ start }) => start),
    size: await log.size(),
  };
}

async function finished(path: string) {
  using watch = watchSize(path, kept, readGap(path));
  return await watch.finish();
}

const facts = { log_bytes: most, log_truncated: true, log_left_out: gap.to - gap.from };

describe("a log that is too long", () => {
  /** The file and its note as a worker leaves them that is killed at some step of leaving out and closing up. */
  const steps: Readonly<Record<string, (path: string) => void>> = {
    "before anything": () => {},
    "with the note written": (path) => writeGap(path, { ...gap, at: gap.to }),
    "with the hole made": (path) => {
      writeGap(path, { ...gap, at: gap.to });
      punch(path, gap.from, gap.to);
    },
    "with less left out than there is by now": (path) => {
      writeGap(path, { from: gap.from, to: gap.to - 5000, at: gap.to - 5000 });
      punch(path, gap.from, gap.to - 5000);
    },
    "in the midst of moving the end": (path) => {
      writeGap(path, { ...gap, at: gap.to });
      const bytes = readFileSync(path);
      bytes.copy(bytes, gap.from, gap.to, gap.to + 700);
      writeFileSync(path, bytes);
    },
    "with the end moved": (path) => {
      const bytes = readFileSync(path);
      bytes.copy(bytes, gap.from, gap.to);
      writeFileSync(path, bytes);
      writeGap(path, { ...gap, at: gap.from, end: whole.length });
    },
    "with what was moved cut off": (path) => {
      writeFileSync(path, left);
      writeGap(path, { ...gap, at: gap.from, end: whole.length });
    },
    "with all done": (path) => {
      writeFileSync(path, left);
      writeGap(path, { ...gap, at: gap.from });
    },
  };

  for (const [step, leave] of Object.entries(steps)) {
    test(`is right when its worker was killed ${step}`, async () => {
      using folder = tempFolder();
      const path = join(folder.path, "1-1.log");
      writeFileSync(path, whole);
      leave(path);
      // Whoever reads before another worker comes finds what is kept, or more.
      const before = await read(path);
      expect(before.size).toBe(whole.length);
      expect(before.bytes.subarray(0, gap.from).equals(left.subarray(0, gap.from))).toBe(true);
      expect(before.bytes.subarray(-tail).equals(left.subarray(-tail))).toBe(true);
      expect(await finished(path)).toEqual(facts);
      expect(readFileSync(path).equals(left)).toBe(true);
      expect(await read(path)).toEqual({ bytes: left, starts: [0, gap.to], size: whole.length });
    });
  }

  test("is left with its hole where that is smaller than what is behind it", async () => {
    using folder = tempFolder();
    const path = join(folder.path, "1-1.log");
    writeFileSync(path, whole.subarray(0, most + 100));
    expect(await finished(path)).toEqual({ log_bytes: most, log_truncated: true, log_left_out: 100 });
    expect(statSync(path).size).toBe(most + 100);
    const { bytes, starts } = await read(path);
    expect(starts).toEqual([0, gap.from + 100]);
    const expected = [whole.subarray(0, gap.from), whole.subarray(gap.from + 100, most + 100)];
    expect(bytes.equals(Buffer.concat(expected))).toBe(true);
  });

  test("has less of its beginning when the limit is lowered, and not more when it is raised", async () => {
    using folder = tempFolder();
    const path = join(folder.path, "1-1.log");
    writeFileSync(path, whole);
    let now = { most: 4096, tail: 1024 };
    using watch = watchSize(path, () => now, undefined);
    while (!existsSync(gapPath(path))) await Bun.sleep(5);
    expect(readGap(path)).toMatchObject({ from: 3072, to: whole.length - 1024 });
    now = { most: 2048, tail: 1024 };
    while (readGap(path)!.from === 3072) await Bun.sleep(5);
    expect(readGap(path)).toMatchObject({ from: 1024, to: whole.length - 1024 });
    now = { most: 8192, tail: 4096 };
    appendFileSync(path, whole);
    expect(await watch.finish()).toMatchObject({
      log_bytes: 1024 + 1024 + whole.length - (whole.length - 3072),
    });
  });

  test("that is opened for another run has no gap", () => {
    using folder = tempFolder();
    const path = join(folder.path, "1-1.log");
    writeFileSync(path, left);
    writeGap(path, { ...gap, at: gap.from });
    openLog(path)[Symbol.dispose]();
    expect([readGap(path), statSync(path).size]).toEqual([undefined, 0]);
  });
});

test("a reader that is slower than the command gets what was there, and never a zero of a hole", async () => {
  using folder = tempFolder();
  const path = join(folder.path, "1-1.log");
  writeFileSync(path, "");
  const lines = (from: number) => Array.from({ length: 2000 }, (_, n) => `${from + n}\n`).join("");
  using watch = watchSize(path, () => ({ most: 20_000, tail: 10_000 }), undefined);
  using log = openFileLog(path)!;
  let [at, zeros, gaps] = [0, 0, 0];
  for (let round = 0; round < 300; round++) {
    appendFileSync(path, lines(round * 2000));
    const piece = await log.read(at, 3000);
    if (piece.start > at) gaps++;
    zeros += piece.bytes.includes(0) ? 1 : 0;
    at = piece.start + piece.bytes.length;
    if (round % 3 === 0) await Bun.sleep(2);
  }
  await watch.finish();
  expect([zeros, gaps > 1]).toEqual([0, true]);
});
