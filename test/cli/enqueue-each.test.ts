// Many commands from a list of values.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { queuectl } from "../support/queuectl.ts";
import { shell } from "../support/shell.ts";
import { atTerminal } from "../support/terminal.ts";

setDefaultTimeout(180_000);

describe.concurrent("enqueue --each", () => {
  test("makes a job of each file that find finds, and they run", async () => {
    await using q = queuectl();
    mkdirSync(join(q.folder, "in"));
    const names = ["a b.txt", "it's.txt", "$(touch gone).txt", "two\nlines.txt", "-n.txt", "ü.txt"];
    for (const name of names) writeFileSync(join(q.folder, "in", name), name);
    const script = "find in -name '*.txt' -print0 | queuectl enqueue -0 --each 'cp {} {.}.copy' | wc -l";
    expect((await shell(q, script)).stdout.toString().trim()).toBe(String(names.length));
    await q.ok("worker", "--until-empty", "--count", "2");
    const copies = names.map((name) => name.replace(/txt$/, "copy"));
    expect(readdirSync(join(q.folder, "in")).toSorted()).toEqual([...names, ...copies].toSorted());
  });

  test("takes the options of a job, and prints the ids in the list's order", async () => {
    await using q = queuectl();
    const options = [
      "--queue",
      "media",
      "--priority",
      "4",
      "--tag",
      "wav",
      "--max-retries",
      "0",
      "--env",
      "A=1",
    ];
    const { stdout } = await q.with({ stdin: "one\ntwo\n" }, "enqueue", "--each", "echo {}", ...options);
    const [one, two] = stdout.trim().split("\n");
    const job = { queue: "media", priority: 4, tags: ["wav"], max_retries: 0, env: { A: "1" } };
    expect(await q.json("show", one!)).toMatchObject({ ...job, command: "echo one" });
    expect(await q.json("show", two!)).toMatchObject({ ...job, command: "echo two" });
  });

  test("reads a file too, and columns", async () => {
    await using q = queuectl();
    writeFileSync(join(q.folder, "list"), "a,1\nb,2\n");
    const words = ["enqueue", "--each", "echo {2} {1}", "--colsep", ",", "--file", "list"];
    expect(await q.json(...words)).toHaveLength(2);
    const jobs = await q.json("list");
    expect(jobs.map(({ command }: { command: string }) => command)).toEqual(["echo 2 b", "echo 1 a"]);
  });

  test("takes the lines of a list from Windows without their marks, and values with a NUL byte as they are", async () => {
    await using q = queuectl();
    const stdin = "\uFEFFa b\r\n\r\nc\r\n";
    await q.with({ stdin }, "enqueue", "--each", "echo {}");
    await q.with({ stdin: "d\r\0" }, "enqueue", "-0", "--each", "echo {}");
    const commands = (await q.json("list")).map(({ command }: { command: string }) => command);
    expect(commands).toEqual(["echo 'd\r'", "echo c", "echo 'a b'"]);
  });

  test("stores nothing when one line is bad, and names it", async () => {
    await using q = queuectl();
    const long = `ok\n\n${"x".repeat(200_000)}\n`;
    const tooLong = await q.with({ stdin: long }, "enqueue", "--each", "echo");
    expect(tooLong).toMatchObject({ status: 2, stdout: "" });
    expect(tooLong.stderr).toStartWith("queuectl: line 3: the command is ");
    const latin1 = Buffer.from("ok\0fran\xe7ais\0", "latin1");
    const notText = await q.with({ stdin: latin1 }, "enqueue", "-0", "--each", "echo");
    expect(notText.stderr).toStartWith("queuectl: value 2: ");
    expect(await q.json("list")).toEqual([]);
  });

  test("of an empty list is no failure", async () => {
    await using q = queuectl();
    const { status, stdout, stderr } = await q.with({ stdin: "" }, "enqueue", "--each", "echo");
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
    expect(stderr).toContain("the list is empty");
  });

  test("is refused where it makes no sense", async () => {
    await using q = queuectl();
    for (const words of [
      ["true", "--each", "echo"],
      ["--each", "echo", "--", "true"],
      ["--each", "echo", "--id", "one"],
      ["true", "--null"],
      ["true", "--colsep", ","],
      ["--file", "list", "-0"],
    ]) {
      expect(await q("enqueue", ...words)).toMatchObject({ status: 2, stdout: "" });
    }
  });

  test("tells at a terminal how far it is, and takes that away again; a pipe is told nothing", async () => {
    await using q = queuectl();
    const list = Array.from({ length: 3000 }, (_, index) => index).join("\n");
    writeFileSync(join(q.folder, "list"), list);
    const seen = atTerminal(q, ["enqueue", "--each", "echo {}", "--file", "list"]);
    expect(await seen.exited()).toBe(0);
    expect(Bun.stripANSI(seen.shown())).toMatch(/%.*jobs? read, \d+\/s.*storing 3000 jobs\r\S+\r\n/s);
    const { stderr } = await q.with({ stdin: list }, "enqueue", "--each", "echo {}");
    expect(stderr).toBe("");
  });
});
