import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { queuectl } from "../support/queuectl.ts";

setDefaultTimeout(180_000);

describe.concurrent("enqueue --unique", () => {
  test("gives back the id of the same command of the same queue and folder, and says so", async () => {
    await using q = queuectl();
    const id = await q.ok("enqueue", "--unique", "make all");
    const again = await q("enqueue", "--unique", "make all");
    expect(again).toMatchObject({ status: 0, stdout: `${id}\n` });
    expect(again.stderr).toContain(`job ${id} is there already`);
    expect(await q.ok("enqueue", "--unique", "make all", "--queue", "other")).not.toBe(id);
    expect(await q.ok("enqueue", "--unique", "make all", "--cwd", "/tmp")).not.toBe(id);
    expect(await q.ok("enqueue", "make all")).not.toBe(id);
    expect((await q.json("enqueue", "--unique", "make all")).id).toBe(id);
    await q.ok("cancel", id);
    expect(await q.ok("enqueue", "--unique-for", "1h", "make all")).toBe(id);
    expect(await q.ok("enqueue", "--unique", "make all")).not.toBe(id);
  });

  test("by a key of one's own, in JSON and in lists too", async () => {
    await using q = queuectl();
    const id = await q.ok("enqueue", "--unique-key", "k", "true");
    expect(await q.ok("enqueue", '{"command": "false", "unique": "k"}')).toBe(id);
    const list =
      '{"command":"a","unique":true}\n{"command":"b","unique":"k"}\n{"command":"a","unique":true}\n';
    const { stdout, stderr } = await q.with({ stdin: list }, "enqueue", "--file", "-");
    const ids = stdout.trim().split("\n");
    expect([ids[1], ids[2], ids.length]).toEqual([id, ids[0]!, 3]);
    expect(stderr).toContain("2 of 3 were there already");
    const each = await q.with({ stdin: "x\ny\nx\n" }, "enqueue", "--each", "echo {}", "--unique");
    expect(new Set(each.stdout.trim().split("\n")).size).toBe(2);
    expect((await q.json("status")).total).toBe(4);
  });

  test("many processes at once store one", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true");
    const ids = await Promise.all(Array.from({ length: 8 }, () => q.ok("enqueue", "--unique", "make all")));
    expect(new Set(ids).size).toBe(1);
    expect((await q.json("status")).total).toBe(2);
  });

  test("bad words are refused", async () => {
    await using q = queuectl();
    for (const words of [
      ["--unique-key", " "],
      ["--unique-for", "400d"],
      ["--unique-for", "x"],
    ]) {
      expect([words, (await q("enqueue", "true", ...words)).status]).toEqual([words, 2]);
    }
  });
});
