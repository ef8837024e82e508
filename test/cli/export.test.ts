import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { queuectl } from "../support/queuectl.ts";
import { shell } from "../support/shell.ts";

setDefaultTimeout(180_000);

const parsed = (text: string) =>
  text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));

const idsIn = (text: string): string[] => parsed(text).map(({ id }) => id);

describe.concurrent("export", () => {
  test("of nothing is taken by enqueue --file as no job, which is said", async () => {
    await using q = queuectl();
    const { status, stdout, stderr } = await shell(
      q,
      "queuectl export --state pending | queuectl enqueue --file -",
    );
    expect({ status, stdout: stdout.toString(), stderr }).toEqual({
      status: 0,
      stdout: "",
      stderr: expect.stringContaining("queuectl: the list is empty; no job is stored"),
    });
  });

  test("prints each job and its attempts as `show --json` does, a line each, the first enqueued first", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--id", "z", "--priority", "1", "--tag", "a");
    await q.ok("enqueue", "exit 3", "--id", "a", "--priority", "5", "--max-retries", "0", "--env", "K=v\nw");
    await q.ok("worker", "--until-empty", "--quiet");
    await q.ok("enqueue", "true", "--id", "m", "--delay", "1h");
    const text = await q.ok("export", "--attempts");
    expect(text.split("\n")).toHaveLength(3);
    const shown = async (id: string) => {
      // Where a log lies, and what else there is beside the job, is of no use elsewhere.
      const { attempts_history, after: _after, before: _before, ...job } = await q.json("show", id);
      const runs = attempts_history.map(({ log: _log, ...attempt }: { log?: string }) => attempt);
      return { ...job, attempts_history: runs };
    };
    expect(parsed(text)).toEqual([await shown("z"), await shown("a"), await shown("m")]);
    expect(parsed(await q.ok("export"))[0]).not.toHaveProperty("attempts_history");
  });

  test("chooses by state, queue, tag and time", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--id", "done", "--tag", "x");
    await q.ok("enqueue", "false", "--id", "dead", "--max-retries", "0", "--queue", "mail");
    await q.ok("worker", "--until-empty", "--quiet");
    await q.ok("enqueue", "true", "--id", "waits", "--tag", "x", "--queue", "mail");
    const cases: [string[], string[]][] = [
      [
        ["--state", "dead, pending"],
        ["dead", "waits"],
      ],
      [["--state", "completed"], ["done"]],
      [
        ["--queue", "mail"],
        ["dead", "waits"],
      ],
      [
        ["--tag", "x"],
        ["done", "waits"],
      ],
      [["--tag", "x", "--queue", "mail"], ["waits"]],
      [
        ["--since", "1h"],
        ["done", "dead", "waits"],
      ],
      [["--since", "2100-01-01"], []],
    ];
    for (const [words, ids] of cases)
      expect([words, idsIn(await q.ok("export", ...words))]).toEqual([words, ids]);
    expect((await q("export", "--state", "cancelled")).stderr).toBe(
      "nothing was written: there is no such job; queuectl list shows those there are\n",
    );
  });

  test("of more jobs than are read at once has each once", async () => {
    await using q = queuectl();
    const ids = (await q.with({ stdin: "x\n".repeat(1000) }, "enqueue", "--each", "true")).stdout
      .trim()
      .split("\n");
    expect(idsIn(await q.ok("export"))).toEqual(ids);
    const { stdout } = await shell(q, "queuectl export | head -n 1");
    expect(idsIn(stdout.toString())).toEqual(ids.slice(0, 1));
  });

  test("is taken by enqueue --file of another queue, as jobs that have yet to run", async () => {
    await using q = queuectl();
    await using other = queuectl();
    await q.ok(
      "enqueue",
      "echo a",
      "--id",
      "a",
      "--priority",
      "4",
      "--tag",
      "t",
      "--timeout",
      "7",
      "--env",
      "K=v",
    );
    await q.ok("enqueue", "false", "--id", "b", "--queue", "mail", "--retry-on", "75", "--max-retries", "1");
    await q.ok("worker", "--until-empty", "--quiet");
    await q.ok("enqueue", '{"command": "true", "id": "c", "run_at": "2100-01-01T00:00:00Z", "key": "k"}');
    const text = await q.ok("export", "--attempts");
    const taken = await other.with({ stdin: text }, "enqueue", "--file", "-");
    expect(taken).toMatchObject({ status: 0, stdout: "a\nb\nc\n" });
    const kept = ({
      id,
      command,
      priority,
      tags,
      timeout,
      env,
      queue,
      max_retries,
      retry_on,
      key,
      cwd,
    }: never) => ({
      ...{ id, command, priority, tags, timeout, env, queue, max_retries, retry_on, key, cwd },
    });
    const there = parsed(await other.ok("export"));
    expect(there.map((job) => kept(job as never))).toEqual(parsed(text).map((job) => kept(job as never)));
    expect(there.map(({ state, attempts }) => [state, attempts])).toEqual(Array(3).fill(["pending", 0]));
    expect(there[2].run_at).toBe("2100-01-01T00:00:00.000Z");
  });

  test("takes along what jobs still wait for, so that they come after the same in another queue", async () => {
    await using q = queuectl();
    await using other = queuectl();
    await q.ok("enqueue", "true", "--id", "over");
    await q.ok("enqueue", "false", "--id", "dead", "--max-retries", "0");
    await q.ok("worker", "--until-empty", "--quiet");
    await q.ok("enqueue", "echo b >> order", "--id", "b", "--after", "over", "--delay", "1h");
    await q.ok("enqueue", "echo c >> order", "--id", "c", "--after", "b", "--if-parent-fails", "run");
    await q.ok(
      "enqueue",
      "echo d >> order",
      "--id",
      "d",
      "--after",
      "dead",
      "--after",
      "c",
      "--if-parent-fails",
      "wait",
    );
    const lines = await q.ok("export", "--state", "pending,dead");
    expect(parsed(lines).map(({ id, after }) => [id, after?.map((one: { id: string }) => one.id)])).toEqual([
      ["dead", undefined],
      ["b", undefined],
      ["c", ["b"]],
      ["d", ["dead", "c"]],
    ]);
    expect((await other.with({ stdin: lines }, "enqueue", "--file", "-")).stdout).toBe("dead\nb\nc\nd\n");
    const family = async (queue: typeof q, id: string) => {
      const { after } = await queue.json("show", id);
      return after.map((one: { id: string; if_fails: string }) => [one.id, one.if_fails]);
    };
    for (const id of ["c", "d"]) expect(await family(other, id)).toEqual(await family(q, id));
    // Without what they wait for they are not taken: half of an order is none.
    await using third = queuectl();
    const alone = parsed(lines).filter(({ id }) => id === "c");
    const refused = await third.with({ stdin: JSON.stringify(alone[0]) }, "enqueue", "--file", "-");
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining("b")]);
    expect((await third.json("status")).total).toBe(0);
  });

  test("refuses what it does not understand", async () => {
    await using q = queuectl();
    for (const words of [["--state", "done"], ["--state", ""], ["--since", "soon"], ["--since", ""], ["a"]]) {
      const { status, stdout, stderr } = await q("export", ...words);
      expect([words, status, stdout, stderr.split("\n").length]).toEqual([words, 2, "", expect.any(Number)]);
    }
  });
});
