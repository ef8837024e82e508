// queuectl queue: paused queues and their limits, with real workers.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { queuectl } from "../support/queuectl.ts";
import { atTerminal, ctrlC } from "../support/terminal.ts";
import { waitUntil } from "../support/wait-until.ts";

setDefaultTimeout(180_000);

describe("pause and resume", () => {
  test("no job of a paused queue starts, also by workers that run already, until it is resumed", async () => {
    await using q = queuectl();
    const worker = q.start("worker");
    await worker.says("waiting for jobs");
    expect((await q("queue", "pause", "mail")).stderr).toContain("mail is paused; no job has named it yet");
    await q.ok("enqueue", "true", "--id", "m", "--queue", "mail");
    await q.ok("enqueue", "true", "--id", "d");
    await waitUntil("the other queue goes on", async () => (await q.json("show", "d")).state === "completed");
    expect((await q.json("show", "m")).state).toBe("pending");
    expect((await q.json("status")).paused_queues).toBe(1);
    expect(await q.ok("status")).toMatch(/paused queues\s+mail/);
    expect((await q("queue", "resume", "mail")).stderr).toBe("queue mail goes on\n");
    await waitUntil("it runs", async () => (await q.json("show", "m")).state === "completed");
  });

  test("a worker until empty does not wait for a paused queue, and says that it is paused", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--queue", "mail");
    await q.ok("enqueue", "true", "--delay", "1");
    await q.ok("queue", "pause", "mail");
    const { status, stderr } = await q("worker", "--until-empty");
    expect([status, /waiting until .*; paused: mail/.test(stderr)]).toEqual([0, true]);
    expect(await q.json("status")).toMatchObject({ completed: 1, pending: 1 });
  });

  test("run passes by a pause", async () => {
    await using q = queuectl();
    await q.ok("queue", "pause", "mail");
    expect(await q.ok("run", "echo hi", "--queue", "mail")).toBe("hi");
  });

  test("--all means all queues that there are, and all that are paused", async () => {
    await using q = queuectl();
    expect(await q("queue", "pause", "--all")).toMatchObject({
      status: 0,
      stderr: "there is no queue yet\n",
    });
    await q.ok("enqueue", "true", "--queue", "a");
    await q.ok("enqueue", "true", "--queue", "b");
    await q.ok("queue", "pause", "--all");
    expect((await q.json("queue", "list")).map((one: { paused: boolean }) => one.paused)).toEqual([
      true,
      true,
    ]);
    await q.ok("queue", "resume", "--all");
    expect((await q("queue", "resume", "--all")).stderr).toBe("no queue is paused\n");
    expect((await q.json("status")).paused_queues).toBe(0);
  });
});

describe("limits", () => {
  test("no more than so many run at once, whoever runs them", async () => {
    await using q = queuectl();
    await q.ok("queue", "set", "media", "--concurrency", "2");
    for (let n = 0; n < 6; n++)
      await q.ok("enqueue", `echo + >> ledger; sleep 0.2; echo - >> ledger`, "--queue", "media");
    const workers = [q.start("worker", "--count", "3", "--until-empty"), q.start("worker", "--until-empty")];
    expect(await Promise.all(workers.map(({ exited }) => exited))).toEqual([0, 0]);
    const ledger = (await Bun.file(`${q.folder}/ledger`).text()).trim().split("\n");
    let running = 0;
    const most = Math.max(...ledger.map((line) => (running += line === "+" ? 1 : -1)));
    expect([ledger.length, most]).toEqual([12, 2]);
  });

  test("no more than so many start in a time, and a worker waits for the next moment by itself", async () => {
    await using q = queuectl();
    await q.ok("queue", "set", "api", "--rate", "2/s");
    for (let n = 0; n < 5; n++) await q.ok("enqueue", "true", "--id", `j${n}`, "--queue", "api");
    await q.ok("worker", "--until-empty", "--count", "5", "--poll", "60");
    const jobs: { started_at: string }[] = await q.json("list");
    const starts = jobs.map(({ started_at }) => Date.parse(started_at)).sort((a, b) => a - b);
    for (const [n, moment] of starts.slice(2).entries()) expect(moment - starts[n]!).toBeGreaterThan(1000);
    expect(starts).toHaveLength(5);
  });

  test("queues take turns where that is set, also by workers that run already", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "sharing", "fair");
    for (let n = 0; n < 3; n++) await q.ok("enqueue", "echo a >> order; sleep 0.3", "--queue", "a");
    await q.ok("enqueue", "echo b >> order; sleep 0.3", "--queue", "b");
    await q.ok("worker", "--count", "2", "--until-empty");
    const order = (await Bun.file(`${q.folder}/order`).text()).trim().split("\n");
    expect(order.slice(0, 2).toSorted()).toEqual(["a", "b"]);
    expect((await q("config", "set", "sharing", "unfair")).stderr).toContain("order or fair");
  });

  test("show says what a job waits for, and run says it too", async () => {
    await using q = queuectl();
    const waits = async (id: string) => {
      const said = /^now\s+(.*)$/m.exec(await q.ok("show", id))?.[1];
      // The sentence is the same wherever it is asked for.
      if (said !== undefined) expect(await q.ok("why", id)).toBe(`job ${id} ${said}`);
      return said;
    };
    await q.ok("enqueue", "true", "--id", "paused", "--queue", "p");
    await q.ok("queue", "pause", "p");
    expect(await waits("paused")).toBe("waits because its queue p is paused; queuectl queue resume p");
    await q.ok(
      "enqueue",
      "until [ -e go ]; do sleep 0.05; done",
      "--id",
      "first",
      "--queue",
      "q",
      "--key",
      "k",
    );
    await q.ok("queue", "set", "q", "--concurrency", "1");
    const worker = q.start("worker", "--count", "2");
    await worker.says("executing first");
    await q.ok("enqueue", "true", "--id", "second", "--queue", "q");
    expect(await waits("second")).toBe("waits because its queue q runs 1 of 1 jobs at once");
    await q.ok("enqueue", "true", "--id", "third", "--key", "k");
    await waitUntil("a claim has met it", async () => (await q.json("show", "third")).next_run_at === null);
    expect(await waits("third")).toBe("waits until job first ends, which runs under its key k");
    const run = q.start("run", "true", "--queue", "q");
    await run.says("waits because its queue q runs 1 of 1 jobs at once");
    await Bun.write(`${q.folder}/go`, "");
    expect(await run.exited).toBe(0);
    expect(await waits("first")).toBeUndefined();
  });

  test("are shown, changed and taken away", async () => {
    await using q = queuectl();
    expect((await q("queue", "set", "media", "--concurrency", "2")).stderr).toBe(
      "queue media: at most 2 at once\nno job has named the queue media yet\n",
    );
    expect(await q.json("queue", "show", "media")).toMatchObject({
      queue: "media",
      concurrency: 2,
      rate: null,
      paused: false,
      pending: 0,
    });
    expect(await q.ok("queue", "list")).toContain("0 of 2");
    await q.ok("queue", "set", "media", "--rate", "60/60s");
    expect(await q.json("queue", "show", "media")).toMatchObject({ concurrency: 2, rate: "60/m" });
    await q.ok("queue", "set", "media", "--concurrency", "none", "--rate", "none");
    expect(await q.json("queue", "list")).toEqual([]);
  });
});

test("a queue that no job has named may be misspelt: show says so, and worker at a terminal", async () => {
  await using q = queuectl();
  await q.ok("enqueue", "true", "--queue", "mail");
  expect((await q("queue", "show", "mail")).stderr).toBe("");
  const said = "no job has named the queue maill yet; did you mean mail?";
  expect((await q("queue", "show", "maill")).stderr).toBe(`${said}\n`);
  expect((await q("queue", "set", "maill", "--concurrency", "2")).stderr).toContain(said);
  await q.ok("queue", "set", "maill", "--concurrency", "none");
  const worker = atTerminal(q, ["worker", "--queue", "maill"]);
  await worker.shows(said);
  await worker.shows("waiting for jobs");
  worker.type(ctrlC);
  expect(await worker.exited()).toBe(0);
});

for (const [words, says] of [
  [["set", "media"], "set what?"],
  [["set", "media", "--concurrency", "0"], "queuectl queue pause"],
  [["set", "media", "--concurrency", "many"], '"many"'],
  [["set", "media", "--rate", "fast"], '"fast"'],
  [["set", "media", "--rate", "0/m"], "0/m"],
  [["set", "media", "--rate", "1/0.1s"], "1/0.1s"],
  [["set", "a b", "--concurrency", "1"], "is not a name"],
  [["pause"], "which queues?"],
  [["pause", "a", "--all"], "either queues by their names, or --all, not both"],
  [["resume", "a b"], "is not a name"],
] as const) {
  test(`queue ${words.join(" ")} is refused as wrong use`, async () => {
    await using q = queuectl();
    const { status, stdout, stderr } = await q("queue", ...words);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(says);
  });
}
