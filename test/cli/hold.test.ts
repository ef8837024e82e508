import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { queuectl } from "../support/queuectl.ts";
import { atTerminal } from "../support/terminal.ts";

setDefaultTimeout(180_000);

describe.concurrent("hold and release", () => {
  test("a held job waits until it is released; --until-empty does not wait for it", async () => {
    await using q = queuectl();
    const job = await q.json("enqueue", "true", "--id", "held", "--hold");
    expect(job).toMatchObject({ state: "pending", held: true, next_run_at: null });
    await q.ok("enqueue", "true", "--id", "free");
    await q.ok("worker", "--until-empty");
    expect(await q.json("status")).toMatchObject({ pending: 1, completed: 1 });
    expect(await q.ok("list", "--search", "held")).toContain("\theld\t");
    expect(await q.ok("show", "held")).toContain("until queuectl release held");
    const { stderr } = await q("release", "held");
    expect(stderr).toContain("job held is released");
    await q.ok("worker", "--until-empty");
    expect(await q.json("show", "held")).toMatchObject({ state: "completed", held: false });
  });

  test("jobs that came by a list are released by their label", async () => {
    await using q = queuectl();
    await q.with({ stdin: "a\nb\nc\n" }, "enqueue", "--each", "echo {}", "--hold", "--tag", "t");
    await q.ok("enqueue", '{"command": "true", "held": true, "id": "other"}');
    await q.ok("worker", "--until-empty");
    expect(await q.json("status")).toMatchObject({ pending: 4 });
    expect((await q("release", "--tag", "t", "--yes")).stderr).toContain("3 jobs are released");
    await q.ok("worker", "--until-empty");
    expect(await q.json("status")).toMatchObject({ completed: 3, pending: 1 });
    expect((await q("hold", "--all", "--yes")).stderr).toContain("0 jobs are held");
  });

  test("of all that match ask at a terminal and want --yes elsewhere, unless nothing waits", async () => {
    await using q = queuectl();
    expect(await q("hold", "--all")).toMatchObject({ status: 0, stderr: "0 jobs are held\n" });
    await q.ok("enqueue", "true", "--id", "job");
    expect(await q("hold", "--all")).toMatchObject({ status: 2, stderr: expect.stringContaining("--yes") });
    const hold = atTerminal(q, ["hold", "--all"]);
    await hold.shows("Hold 1 job that waits? [y/N]");
    hold.type("n\r");
    expect(await hold.exited()).toBe(1);
    expect((await q.json("show", "job")).held).toBe(false);
    await q.ok("hold", "job");
    const release = atTerminal(q, ["release", "--queue", "default"]);
    await release.shows("Release what is held of 1 job that waits? [y/N]");
    release.type("y\r");
    expect(await release.exited()).toBe(0);
    expect((await q.json("show", "job")).held).toBe(false);
  });

  test("a worker that waits takes up what is released", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--id", "one", "--delay", "1h");
    await q.ok("hold", "one");
    await q.ok("edit", "one", "--delay", "0");
    const worker = q.start("worker");
    await worker.says("started");
    await q.ok("release", "one");
    await worker.says("job one completed");
  });

  test("what cannot be held or released is refused, and then nothing is done", async () => {
    await using q = queuectl();
    await q.ok("run", "true", "--id", "done");
    await q.ok("enqueue", "true", "--id", "waits");
    for (const words of [
      ["hold", "waits", "done"],
      ["release", "waits"],
    ]) {
      const { status, stderr } = await q(...words);
      expect([words.join(" "), status, stderr.split("\n").length]).toEqual([words.join(" "), 1, 2]);
    }
    expect((await q.json("show", "waits")).held).toBe(false);
    expect(await q("hold")).toMatchObject({ status: 2, stderr: expect.stringContaining("hold which jobs?") });
    const both = { status: 2, stderr: expect.stringContaining("not both") };
    expect(await q("release", "waits", "--all")).toMatchObject(both);
    expect((await q("run", '{"command": "true", "held": true}')).status).toBe(2);
  });
});
