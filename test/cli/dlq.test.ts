import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { type Queuectl, queuectl } from "../support/queuectl.ts";
import { atTerminal } from "../support/terminal.ts";

setDefaultTimeout(180_000);

async function withDead(q: Queuectl, ...ids: string[]): Promise<void> {
  for (const id of ids) await q.ok("enqueue", "echo trouble; exit 3", "--id", id, "--max-retries", "0");
  await q.ok("worker", "--until-empty");
}

describe.concurrent("dlq", () => {
  test("list is [] when there is none", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true");
    expect(await q("dlq", "list", "--json")).toEqual({ status: 0, stdout: "[]\n", stderr: "" });
    expect(await q("dlq", "list")).toMatchObject({ status: 0, stdout: "" });
  });

  test("list shows id, command, state, attempts and error", async () => {
    await using q = queuectl();
    await withDead(q, "one");
    expect((await q.ok("dlq", "list")).split("\t").toSorted()).toEqual(
      ["one", "dead", "1", "echo trouble; exit 3", "exit status 3"].toSorted(),
    );
    expect(await q.json("dlq", "list")).toMatchObject([
      { id: "one", state: "dead", last_error: "exit status 3" },
    ]);
  });

  test("retry takes several, by beginnings too, and keeps the old attempts in the history", async () => {
    await using q = queuectl();
    await withDead(q, "one-1", "two-2", "three");
    await q.ok("dlq", "retry", "one", "two");
    expect(await q.json("status")).toMatchObject({ pending: 2, dead: 1 });
    await q.ok("worker", "--until-empty");
    const { attempts, attempts_history: runs } = await q.json("show", "one-1");
    expect([attempts, runs.length, runs[1].number]).toEqual([1, 2, 2]);
  });

  test("retry of one that is not dead retries none of them", async () => {
    await using q = queuectl();
    await withDead(q, "one");
    await q.ok("enqueue", "true", "--id", "waits", "--delay", "1h");
    expect((await q("dlq", "retry", "one", "waits")).status).toBe(1);
    expect((await q.json("show", "one")).state).toBe("dead");
  });

  test("list shows what retry by the same filter takes, and retry says how many there were", async () => {
    await using q = queuectl();
    const dead = ["--max-retries", "0"];
    await q.ok("enqueue", "exit 1 # video", "--id", "a", "--tag", "wav", ...dead);
    await q.ok("enqueue", "exit 1 # video", "--id", "b", "--tag", "wav", "--queue", "media", ...dead);
    await q.ok("enqueue", "exit 1", "--id", "c", ...dead);
    await q.ok("worker", "--until-empty", "--quiet");
    const listed = async (...words: string[]) =>
      (await q.json("dlq", "list", ...words)).map(({ id }: { id: string }) => id);
    expect(await listed("--tag", "wav", "--queue", "media")).toEqual(["b"]);
    expect(await listed("--search", "VIDEO")).toEqual(["b", "a"]);
    expect((await q("dlq", "list", "--tag", "none")).stderr).toContain("no dead letter fits");
    const asked = await q("dlq", "retry", "--tag", "wav");
    expect(asked).toMatchObject({ status: 2, stderr: expect.stringContaining("--yes") });
    const retried = async (...words: string[]) => (await q("dlq", "retry", ...words, "--yes")).stderr;
    expect(await retried("--tag", "wav", "--queue", "media")).toBe("1 job is back in the queue\n");
    expect(await retried("--search", "VIDEO")).toBe("1 job is back in the queue\n");
    expect(await retried("--tag", "wav")).toBe("0 jobs are back in the queue\n");
    expect(await retried("--all")).toBe("1 job is back in the queue\n");
    expect(await q.json("status")).toMatchObject({ pending: 3, dead: 0 });
  });

  test.each([
    [[], "retry what? Say ids, or else --tag, --queue and --search, or --all"],
    [["a", "--all"], "either ids, or --tag"],
    [["--all", "--tag", "x"], "either ids, or --tag"],
    [["a", "--queue", "x"], "either ids, or --tag"],
  ] as const)("retry of %j is refused, as it does not say what is meant", async (words, says) => {
    await using q = queuectl();
    const { status, stderr } = await q("dlq", "retry", ...words);
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining(`queuectl: ${says}`) });
  });

  test("retry of one with options makes it another one first, whole", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "exit 3", "--id", "a", "--env", "A=1", "--tag", "t", "--max-retries", "0");
    await q.ok("worker", "--until-empty", "--quiet");
    await q.ok(
      "dlq",
      "retry",
      "a",
      "--command",
      'test "$A$B" = 12',
      "--env",
      "B=2",
      "--timeout",
      "1m",
      "--nice",
      "1",
    );
    await q.ok("worker", "--until-empty", "--quiet");
    expect(await q.json("show", "a")).toMatchObject({
      state: "completed",
      command: 'test "$A$B" = 12',
      timeout: 60,
      tags: ["t"],
      nice: 1,
      attempts: 1,
    });
    expect(await q("dlq", "retry", "a", "--timeout", "2m")).toMatchObject({ status: 1 });
  });

  test("retry of one with options that cannot be leaves it dead, and several are not changed", async () => {
    await using q = queuectl();
    await withDead(q, "one", "two");
    expect((await q("dlq", "retry", "one", "--retry-on", "1", "--dead-on", "1")).status).toBe(2);
    expect((await q("dlq", "retry", "one", "--max-retries", "-1")).status).toBe(2);
    expect((await q("dlq", "retry", "one", "two", "--timeout", "1m")).stderr).toContain(
      "one dead letter at a time",
    );
    expect((await q("dlq", "retry", "--all", "--timeout", "1m")).status).toBe(2);
    expect((await q.json("status")).dead).toBe(2);
    await q.ok("dlq", "retry", "one", "--", "echo", "two words");
    expect((await q.json("show", "one")).command).toBe("echo 'two words'");
  });

  test("retry of all that match asks at a terminal, and takes anything but yes for no", async () => {
    await using q = queuectl();
    await withDead(q, "one");
    for (const [answer, left] of [
      ["n", 1],
      ["y", 0],
    ] as const) {
      const retry = atTerminal(q, ["dlq", "retry", "--all"]);
      await retry.shows("Put 1 dead letter back into the queue? [y/N]");
      retry.type(`${answer}\r`);
      expect(await retry.exited()).toBe(left);
      expect(await q.json("dlq", "list")).toHaveLength(left);
    }
  });

  test("retry-all of none is no failure", async () => {
    await using q = queuectl();
    expect((await q("dlq", "retry-all")).status).toBe(0);
  });

  test("purge removes all with --yes, and none without where nobody can be asked", async () => {
    await using q = queuectl();
    await withDead(q, "one", "two");
    const [{ log }] = (await q.json("show", "one")).attempts_history;
    await q.ok("enqueue", "true", "--id", "waits", "--delay", "1h");
    expect((await q("dlq", "purge")).status).toBe(2);
    expect(await q.json("dlq", "list")).toHaveLength(2);
    await q.ok("dlq", "purge", "--yes");
    expect(await q.json("dlq", "list")).toEqual([]);
    expect(existsSync(log)).toBe(false);
    expect((await q.json("status")).pending).toBe(1);
  });

  test("purge asks at a terminal, and takes anything but yes for no", async () => {
    await using q = queuectl();
    await withDead(q, "one");
    for (const [answer, left] of [
      ["n", 1],
      ["", 1],
      ["y", 0],
    ] as const) {
      const purge = atTerminal(q, ["dlq", "purge"]);
      await purge.shows("[y/N]");
      purge.type(`${answer}\r`);
      expect(await purge.exited()).toBe(left);
      expect(await q.json("dlq", "list")).toHaveLength(left);
    }
  });
});
