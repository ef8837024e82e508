// The examples do what they say, here on a few files.

import { expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { program } from "./support/program.ts";
import { queuectl } from "./support/queuectl.ts";
import { tempFolder } from "./support/temp-home.ts";

setDefaultTimeout(180_000);

const root = resolve(import.meta.dir, "..");

interface Run {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs an example with a shell script as its program, in which "$@" are the words and `real` is queuectl. */
async function example(folder: string, words: readonly string[], queuectl = 'real "$@"'): Promise<Run> {
  const path = join(folder, "queuectl");
  writeFileSync(
    path,
    `#!/bin/sh\nreal() { ${program.map((word) => `'${word}'`).join(" ")} "$@"; }\n${queuectl}\n`,
  );
  chmodSync(path, 0o755);
  const child = Bun.spawn(words as string[], {
    cwd: root,
    env: {
      ...process.env,
      PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
      TMPDIR: folder,
      QUEUECTL: path,
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { status: await child.exited, stdout, stderr };
}

test("check-archives checks real archives, finds the truncated one, and leaves nothing behind", async () => {
  using folder = tempFolder();
  const { status, stdout, stderr } = await example(folder.path, ["examples/check-archives.sh", "12"]);
  expect({ status, trouble: stderr.includes("NOT SO") }).toEqual({ status: 0, trouble: false });
  expect(stdout).toContain("completed: 12\ndead: 1\ntotal: 13\n");
  expect(stdout).toContain("truncated.gz: unexpected end of file");
  expect(stdout).toEndWith("all as it should be\n");
  expect(readdirSync(folder.path)).toEqual(["queuectl"]);
});

test("check-archives makes archives where there are too few", async () => {
  using folder = tempFolder();
  const empty = join(folder.path, "doc");
  const script = `mkdir '${empty}'; sed 's|^source=.*|source=${empty}|; s|^root=.*|root=${root}|' examples/check-archives.sh | bash -s 7`;
  const { status, stdout } = await example(folder.path, ["bash", "-c", script]);
  expect({ status, first: stdout.split("\n")[0] }).toEqual({
    status: 0,
    first: `7 archives, 0 of them found under ${empty}, and one truncated copy`,
  });
});

test("check-archives says so when work is left undone", async () => {
  using folder = tempFolder();
  const noWorker = '[ "$1 $2" = "worker start" ] || real "$@"';
  const { status, stderr } = await example(folder.path, ["examples/check-archives.sh", "5"], noWorker);
  expect({ status, complaint: stderr.split("\n").at(-3) }).toEqual({
    status: 1,
    complaint: "NOT SO: completed: 0, expected 5",
  });
});

test("check-archives says so when a process is left behind", async () => {
  using folder = tempFolder();
  const left = join(folder.path, "left");
  const leaving = `[ "$1 $2" != "worker start" ] || { sleep 60 >/dev/null 2>&1 & echo $! >'${left}'; }; real "$@"`;
  const { status, stderr } = await example(folder.path, ["examples/check-archives.sh", "5"], leaving);
  process.kill(Number(readFileSync(left, "utf8")));
  expect({ status, complaint: stderr.split("\n").at(-3) }).toEqual({
    status: 1,
    complaint: "NOT SO: processes left: 1, expected 0",
  });
});

test("checksums has workers check files, and says which could not be read", async () => {
  await using q = queuectl();
  const [one, two] = [join(q.folder, "one file"), join(q.folder, "it's two")];
  await Bun.write(one, "1");
  await Bun.write(two, "2");
  await q.ok("config", "set", "backoff_base", "0");
  q.start("worker", "--quiet", "--count", "2");
  const words = [process.execPath, "examples/checksums.ts", one, two, join(q.folder, "missing")];
  const env = { ...process.env, QUEUECTL_HOME: q.home };
  const child = Bun.spawn(words, { cwd: root, env, stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  const sums = [one, two].map((file) => {
    const text = readFileSync(file);
    return `${new Bun.CryptoHasher("sha256").update(text).digest("hex")}  ${file}`;
  });
  expect(stdout.trim().split("\n").sort()).toEqual(sums.sort());
  expect({ status: await child.exited, stderr }).toEqual({
    status: 1,
    stderr: `${join(q.folder, "missing")}: dead (exit status 1)\n`,
  });
});
