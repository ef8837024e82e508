import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { makeGate } from "../support/gate.ts";
import { queuectl } from "../support/queuectl.ts";
import { atTerminal, ctrlC } from "../support/terminal.ts";

setDefaultTimeout(180_000);

describe.concurrent("wait", () => {
  test("returns with 0 when all are completed, and prints nothing", async () => {
    await using q = queuectl();
    const gate = makeGate(q);
    await q.ok("enqueue", "true", "--id", "one");
    await q.ok("enqueue", gate.command, "--id", "two");
    const worker = q.start("worker");
    await worker.says("started");
    const wait = q.start("wait", "one", "two");
    await worker.says("job one completed");
    await gate.reached();
    gate.open();
    expect(await wait.exited).toBe(0);
    expect(wait.stdout() + wait.stderr()).toBe("");
    expect((await q.json("show", "two")).state).toBe("completed");
  });

  test("says after a while that nobody serves the queues of what it waits for", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--id", "job", "--queue", "mail", "--tag", "t");
    const waits = [["job"], ["--tag", "t"], ["--queue", "mail"], ["--all"]].map((words) =>
      q.start("wait", ...words),
    );
    for (const wait of waits) await wait.says("no worker serves mail yet; start one: queuectl worker");
    await q.ok("worker", "--until-empty");
    for (const wait of waits) expect(await wait.exited).toBe(0);
  });

  test("names five of many queues that nobody serves", async () => {
    await using q = queuectl();
    const jobs = Array.from({ length: 40 }, (_, n) => JSON.stringify({ command: "true", queue: `q${n}` }));
    await q.with({ stdin: jobs.join("\n") }, "enqueue", "--file", "-");
    const wait = q.start("wait", "--all");
    await wait.says("no worker serves q39, q38, q37, q36, q35 and 35 more yet; start one: queuectl worker");
    wait.kill("SIGTERM");
  });

  test("says so beside a worker that is dead and has not been missed yet", async () => {
    await using q = queuectl();
    const worker = q.start("worker", "--queue", "mail");
    await worker.says("started");
    worker.kill("SIGKILL");
    await worker.exited;
    await q.ok("enqueue", "true", "--id", "job", "--queue", "mail");
    const wait = q.start("wait", "job");
    await wait.says("no worker serves mail yet");
    wait.kill("SIGTERM");
  });

  test("says so too when all that is left waits for a retry", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "backoff_base", "100");
    await q.ok("enqueue", "false", "--queue", "mail", "--id", "job");
    const worker = q.start("worker");
    await worker.says("will retry in");
    worker.kill("SIGTERM");
    await worker.exited;
    const wait = q.start("wait", "--all");
    await wait.says("no worker serves mail yet");
    wait.kill("SIGTERM");
  });

  test("at a terminal leaves nothing of its bar behind when it is ended by Ctrl-C", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--queue", "mail");
    const wait = atTerminal(q, ["wait", "--all"], { columns: 40 });
    await wait.shows("0 of 1");
    wait.type(ctrlC);
    expect(await wait.exited()).toBe(130);
    expect(wait.shown()).toEndWith("\r\u001b[K");
  });

  test("passes on how a job ended: its code, 128 and its signal, 124, 130", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "max_retries", "0");
    await q.ok("enqueue", "exit 7", "--id", "code");
    await q.ok("enqueue", "kill -KILL $$", "--id", "signal");
    await q.ok("enqueue", "sleep 60", "--id", "slow", "--timeout", "0.2");
    await q.ok("enqueue", "true", "--id", "stopped");
    await q.ok("cancel", "stopped");
    q.start("worker");
    expect((await q("wait", "code")).status).toBe(7);
    expect((await q("wait", "signal")).status).toBe(137);
    expect((await q("wait", "slow")).status).toBe(124);
    expect((await q("wait", "stopped")).status).toBe(130);
  });

  test("of several is the first that did not complete, in the order of the words", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "max_retries", "0");
    for (const [id, command] of [
      ["good", "true"],
      ["five", "exit 5"],
      ["six", "exit 6"],
    ]) {
      await q.ok("enqueue", command!, "--id", id!);
    }
    await q.ok("worker", "--until-empty");
    expect((await q("wait", "good", "six", "five")).status).toBe(6);
    expect((await q("wait", "five", "good", "six")).status).toBe(5);
    expect((await q("wait", "good", "good")).status).toBe(0);
  });

  test("ends with 124 when its own time is up, and leaves the job alone", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--id", "job");
    const { status, stdout, stderr } = await q("wait", "job", "--timeout", "0.2");
    expect({ status, stdout }).toEqual({ status: 124, stdout: "" });
    expect(stderr).not.toBe("");
    expect((await q.json("show", "job")).state).toBe("pending");
  });

  test("waits through retries", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "backoff_base", "0.1");
    await q.ok("enqueue", "[ $QUEUECTL_ATTEMPT = 3 ]", "--id", "job");
    q.start("worker");
    expect((await q("wait", "job")).status).toBe(0);
    expect((await q.json("show", "job")).attempts).toBe(3);
  });

  test("is over when the job is deleted, with a word", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--id", "job");
    const wait = q.start("wait", "job");
    const other = q.start("worker", "--queue", "elsewhere");
    await other.says("waiting for jobs");
    await q.ok("delete", "job");
    expect(await wait.exited).toBe(1);
    await wait.says("there is no job job");
  });
});

describe.concurrent("wait for all that match", () => {
  test("returns when the last of them is settled, whatever else waits", async () => {
    await using q = queuectl();
    for (const [words, others] of [
      [
        ["--tag", "wav"],
        ["--tag", "other"],
      ],
      [
        ["--queue", "media"],
        ["--queue", "other"],
      ],
      [
        ["--queue", "media", "--tag", "wav"],
        ["--queue", "media"],
      ],
    ] as const) {
      const gate = makeGate(q);
      await q.ok("enqueue", gate.command, ...words);
      await q.ok("enqueue", "true", ...words);
      await q.ok("enqueue", "true", "--delay", "1h", ...others);
      const worker = q.start("worker", "--count", "2");
      await gate.reached();
      const wait = q.start("wait", ...words);
      await worker.says("completed");
      expect((await q("wait", ...words, "--timeout", "0.3")).status).toBe(124);
      gate.open();
      expect(await wait.exited).toBe(0);
      expect(wait.stdout() + wait.stderr()).toBe("");
      worker.kill("SIGTERM");
      await worker.exited;
      const waiting = (await q.json("list", "--state", "pending")).map(({ id }: { id: string }) => id);
      await q.ok("cancel", ...waiting);
      await q.ok("delete", ...waiting);
    }
  });

  test("does not wait for jobs that are enqueued meanwhile", async () => {
    await using q = queuectl();
    for (const words of [["--all"], ["--tag", "a"]]) {
      const gate = makeGate(q);
      await q.ok("enqueue", gate.command, "--tag", "a", "--priority", "5");
      const worker = q.start("worker");
      await gate.reached();
      const wait = atTerminal(q, ["wait", ...words]);
      await wait.shows("0 of 1");
      await q.ok("enqueue", "true", "--tag", "a", "--delay", "1h", "--id", `later${words.length}`);
      gate.open();
      expect(await wait.exited()).toBe(0);
      await q.ok("delete", `later${words.length}`);
      worker.kill("SIGTERM");
      await worker.exited;
    }
  });

  test("is over with the exit status of the first that did not complete, or 0", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "max_retries", "0");
    for (const command of ["true", "exit 6", "exit 5", "true"]) await q.ok("enqueue", command, "--tag", "a");
    await q.ok("enqueue", "true", "--id", "stopped", "--queue", "b");
    await q.ok("cancel", "stopped");
    await q.ok("worker", "--until-empty");
    expect((await q("wait", "--tag", "a")).status).toBe(6);
    expect((await q("wait", "--queue", "b")).status).toBe(130);
    expect((await q("wait", "--all")).status).toBe(6);
    await q.ok("dlq", "purge", "--yes");
    expect((await q("wait", "--tag", "a")).status).toBe(0);
    expect((await q("wait", "--all")).status).toBe(130);
  });

  test("says which job did not complete, and why; at a terminal also that all did", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "exit 6", "--max-retries", "0", "--id", "six", "--tag", "a");
    await q.ok("enqueue", "true", "--id", "stopped", "--queue", "b");
    await q.ok("enqueue", "true", "--id", "fine", "--queue", "c");
    await q.ok("cancel", "stopped");
    await q.ok("worker", "--until-empty");
    const dead = "queuectl: job six is dead (exit status 6); what it printed: queuectl logs six\n";
    expect((await q("wait", "fine", "six")).stderr).toBe(dead);
    expect((await q("wait", "--tag", "a")).stderr).toBe(dead);
    expect((await q("wait", "--queue", "b")).stderr).toBe("queuectl: job stopped was cancelled\n");
    for (const words of [["fine"], ["--queue", "c"]]) {
      const wait = atTerminal(q, ["wait", ...words]);
      expect(await wait.exited()).toBe(0);
      expect(wait.shown()).toContain("all of them are completed");
    }
  });

  test("says so where there is none, which is no failure", async () => {
    await using q = queuectl();
    for (const words of [["--all"], ["--tag", "a"], ["--queue", "b"]]) {
      const { status, stderr } = await q("wait", ...words);
      expect(status).toBe(0);
      expect(stderr).toMatch(/^queuectl: there is no such job to wait for; .*\n$/);
    }
  });

  test("needs ids or a filter, and not both", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--id", "job");
    for (const words of [[], ["job", "--all"], ["--all", "--tag", "a"]]) {
      expect((await q("wait", ...words)).status).toBe(2);
    }
  });

  test("shows at a terminal how far they are, more of them than it looks at in one go, and leaves nothing of it behind", async () => {
    await using q = queuectl();
    await q.with({ stdin: "x\n".repeat(12_500) }, "enqueue", "--each", "echo", "--tag", "a", "--delay", "1h");
    const gate = makeGate(q);
    await q.ok("enqueue", gate.command, "--tag", "a");
    // From the start: where nobody serves the queue for a while, that is said.
    const worker = q.start("worker");
    await gate.reached();
    const wait = atTerminal(q, ["wait", "--tag", "a"]);
    await wait.shows("0 of 12501");
    const waiting = (await q.json("list", "--limit", "0", "--search", "echo")).map(
      ({ id }: { id: string }) => id,
    );
    for (let from = 0; from < waiting.length; from += 5000)
      await q.ok("cancel", ...waiting.slice(from, from + 5000));
    await wait.shows("12500 of 12501");
    gate.open();
    expect(await wait.exited()).toBe(130);
    worker.kill("SIGTERM");
    const last = wait.shown().split("\r\u001b[K").at(-1);
    expect(last).toMatch(/^queuectl: job \w+ was cancelled\r\n$/);
    expect(wait.shown()).toContain(" left");
  });
});
