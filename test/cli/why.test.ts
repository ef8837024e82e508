import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { makeGate } from "../support/gate.ts";
import { queuectl } from "../support/queuectl.ts";

setDefaultTimeout(180_000);

describe.concurrent("why", () => {
  test("says what a waiting job waits for", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--id", "plain");
    await q.ok("enqueue", "true", "--id", "held", "--hold");
    await q.ok("enqueue", "true", "--id", "child", "--after", "plain", "--after", "held");
    await q.ok("enqueue", "true", "--id", "later", "--delay", "1h");
    await q.ok("enqueue", "true", "--id", "paused", "--queue", "p");
    await q.ok("queue", "pause", "p");
    await q.ok("enqueue", "true", "--id", "gone");
    await q.ok("cancel", "gone");
    const why = (id: string) => q.ok("why", id);
    expect(await why("plain")).toContain("none serves its queue default");
    expect(await why("held")).toBe("job held is held until queuectl release held");
    expect(await why("child")).toBe("job child waits for plain (pending), held (pending)");
    expect(await why("later")).toMatch(/is to run in (1h|59m)/);
    expect(await why("paused")).toContain("its queue p is paused");
    expect(await why("gone")).toContain("is cancelled");
    expect((await q("why", "nothere")).status).toBe(1);
    expect(await q.json("why", "held")).toMatchObject({ id: "held", state: "pending" });
  });

  test("says what to do when a job's worker is dead, or what it waits for is", async () => {
    await using q = queuectl();
    const gate = makeGate(q);
    await q.ok("enqueue", gate.command, "--id", "orphan");
    const worker = q.start("worker");
    await gate.reached();
    worker.kill("SIGKILL");
    await worker.exited;
    expect(await q.ok("why", "orphan")).toContain(
      "which is dead; the next worker takes it over: queuectl worker",
    );
    gate.open();
    await q.ok("enqueue", "false", "--id", "parent", "--max-retries", "0");
    await q.ok("enqueue", '{"command":"true","id":"child","after":[{"id":"parent","if_fails":"wait"}]}');
    await q.ok("worker", "--until-empty");
    expect(await q.ok("why", "child")).toContain(
      "waits for parent (dead); queuectl dlq retry parent runs that once more",
    );
  });

  test("says what to do with a job that ran when its queue was copied, whose worker the copy does not know", async () => {
    await using q = queuectl();
    const gate = makeGate(q);
    await q.ok("enqueue", gate.command, "--id", "job");
    q.start("worker");
    await gate.reached();
    const restored = join(q.folder, "restored");
    mkdirSync(restored, { mode: 0o700 });
    await q.ok("backup", join(restored, "queue.db"));
    const { stdout } = await q.with({ env: { QUEUECTL_HOME: restored } }, "why", "job");
    expect(stdout).toContain("which is dead; the next worker takes it over: queuectl worker");
    expect(await q.ok("why", "job")).toMatch(/^job job runs, by worker-/);
    gate.open();
  });

  test("counts no worker that is dead and has not been missed yet", async () => {
    await using q = queuectl();
    const worker = q.start("worker");
    await worker.says("started");
    worker.kill("SIGKILL");
    await worker.exited;
    await q.ok("enqueue", "true", "--id", "job");
    expect(await q.ok("why", "job")).toContain("none serves its queue default");
  });

  test("counts no worker that is asked to go when its job is done", async () => {
    await using q = queuectl();
    const gate = makeGate(q);
    await q.ok("enqueue", gate.command);
    const worker = q.start("worker");
    await gate.reached();
    await q.ok("worker", "stop");
    await q.ok("enqueue", "true", "--id", "late");
    expect(await q.ok("why", "late")).toContain("none serves its queue default");
    gate.open();
    expect(await worker.exited).toBe(0);
  });

  test("says who has its key, and what room its queue has", async () => {
    await using q = queuectl();
    const gate = makeGate(q);
    await q.ok("enqueue", gate.command, "--id", "first", "--key", "k", "--queue", "one");
    await q.ok("queue", "set", "one", "--concurrency", "1");
    q.start("worker", "--count", "2");
    await gate.reached();
    await q.ok("enqueue", "true", "--id", "second", "--key", "k");
    await q.ok("enqueue", "true", "--id", "third", "--queue", "one");
    expect(await q.ok("why", "first")).toContain("job first runs, by worker-");
    expect(await q.ok("why", "second")).toContain("waits until job first ends, which runs under its key k");
    expect(await q.ok("why", "third")).toContain("its queue one runs 1 of 1 jobs at once");
    gate.open();
    await q.ok("wait", "second", "third");
  });
});
