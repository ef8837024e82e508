import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { makeGate } from "../support/gate.ts";
import { queuectl } from "../support/queuectl.ts";

setDefaultTimeout(180_000);

describe.concurrent("enqueue --after", () => {
  test("a diamond runs from top to bottom, each side at its own pace", async () => {
    await using q = queuectl();
    const log = (name: string) => `echo ${name} >> order`;
    await q.ok("enqueue", log("top"), "--id", "top");
    await q.ok("enqueue", log("left"), "--id", "left", "--after", "to");
    await q.ok("enqueue", `sleep 0.3; ${log("right")}`, "--id", "right", "--after", "top");
    await q.ok("enqueue", log("bottom"), "--id", "bottom", "--after", "left", "--after", "right");
    expect(await q.ok("list", "--search", "bottom")).toContain("\tafter 2\t");
    await q.ok("worker", "--until-empty", "--count", "4");
    expect(readFileSync(join(q.folder, "order"), "utf8")).toBe("top\nleft\nright\nbottom\n");
  });

  test("says so when the job is cancelled at once, since one that it comes after has failed", async () => {
    await using q = queuectl();
    await q("run", "exit 3", "--id", "first", "--max-retries", "0");
    const { status, stderr } = await q("enqueue", "true", "--id", "next", "--after", "first");
    expect(status).toBe(0);
    expect(stderr).toContain("job next is cancelled at once: job first, which it comes after, is dead");
  });

  test("show has the family, as JSON that can be enqueued again and as a tree", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--id", "a");
    await q.ok("enqueue", "true", "--id", "b", "--after-any", "a");
    await q.ok("enqueue", "true", "--id", "c", "--after", "b", "--if-parent-fails", "wait");
    const b = await q.json("show", "b");
    expect(b).toMatchObject({
      unmet: 1,
      next_run_at: null,
      after: [{ id: "a", state: "pending", if_fails: "run" }],
      before: [{ id: "c", state: "pending" }],
    });
    expect(await q.ok("show", "a")).toContain("comes before\n└─ b  pending\n   └─ c  pending");
    await q.ok("delete", "b");
    expect((await q.json("show", "c")).unmet).toBe(0);
    const again = await q.with({ stdin: JSON.stringify(b) }, "enqueue", "--file", "-");
    expect(again).toMatchObject({ status: 0, stdout: "b\n" });
    expect((await q.json("show", "b")).after).toEqual(b.after);
  });

  test("a list may be a whole graph, with ids of its own", async () => {
    await using q = queuectl();
    const jobs = [
      { id: "top", command: "true" },
      { id: "side", command: "exit 1", max_retries: 0, after: ["top"] },
      { id: "cleanup", command: "true", after: [{ id: "side", if_fails: "run" }] },
      { id: "report", command: "true", after: ["top", "side"] },
    ];
    await q.with({ stdin: JSON.stringify(jobs) }, "enqueue", "--file", "-");
    await q.ok("worker", "--until-empty");
    const state = async (id: string) => (await q.json("show", id)).state;
    expect(await Promise.all(["top", "side", "cleanup", "report"].map(state))).toEqual([
      "completed",
      "dead",
      "completed",
      "cancelled",
    ]);
    expect((await q.json("show", "report")).last_error).toBe("job side, which it comes after, is dead");
  });

  test("a job that waits for a failed one is not waited for by --until-empty, and runs once that is retried", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "[ -e ready ]", "--id", "a", "--max-retries", "0");
    await q.ok("enqueue", "true", "--id", "b", "--after", "a", "--if-parent-fails", "wait");
    await q.ok("worker", "--until-empty");
    expect((await q.json("show", "b")).state).toBe("pending");
    await Bun.write(join(q.folder, "ready"), "");
    await q.ok("dlq", "retry", "a");
    await q.ok("worker", "--until-empty");
    expect((await q.json("show", "b")).state).toBe("completed");
  });

  test("another worker that waits takes up what comes after", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--id", "a", "--queue", "one");
    await q.ok("enqueue", "true", "--id", "b", "--queue", "two", "--after", "a");
    const second = q.start("worker", "--queue", "two", "--poll", "3600");
    await second.says("started");
    await q.ok("worker", "--until-empty", "--queue", "one");
    await second.says("job b completed");
  });

  test("when the worker is killed in the middle of a diamond, another goes on, and each job runs once to its end", async () => {
    await using q = queuectl();
    const gate = makeGate(q);
    await q.ok("enqueue", "echo top >> order", "--id", "top");
    await q.ok("enqueue", `${gate.command}; echo left >> order`, "--id", "left", "--after", "top");
    await q.ok("enqueue", "echo right >> order", "--id", "right", "--after", "top");
    await q.ok("enqueue", "echo bottom >> order", "--id", "bottom", "--after", "left", "--after", "right");
    const first = q.start("worker", "--count", "2");
    await gate.reached();
    await first.says("job right completed");
    first.kill("SIGKILL");
    await first.exited;
    expect(await q.json("show", "bottom")).toMatchObject({ state: "pending", unmet: 1 });
    const second = q.start("worker", "--count", "2");
    await second.says("started");
    gate.open();
    await q.ok("wait", "bottom");
    const lines = readFileSync(join(q.folder, "order"), "utf8").trim().split("\n");
    expect(lines).toEqual(["top", "right", "left", "bottom"]);
  });

  test("bad words are refused, and nothing is stored", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--id", "a");
    const wrong: [number, ...string[]][] = [
      [1, "--after", "nothere"],
      [2, "--after", "a", "--after", "a"],
      [2, "--after", "a", "--after-any", "a"],
      [2, "--after", "a", "--if-parent-fails", "dance"],
      [2, "--if-parent-fails", "run"],
    ];
    for (const [status, ...words] of wrong) {
      const answer = await q("enqueue", "true", ...words);
      expect([words, answer.status, answer.stdout]).toEqual([words, status, ""]);
      expect(answer.stderr.split("\n")).toHaveLength(2);
    }
    const json = ['{"command": "x", "after": "a"}', '{"command": "x", "after": [{"id": "a", "if": 1}]}'];
    for (const text of json) expect((await q("enqueue", text)).status).toBe(2);
    expect((await q("enqueue", '{"command": "x", "after": ["nothere"]}')).status).toBe(1);
    expect((await q("enqueue", '{"command": "x", "id": "b", "after": ["b"]}')).status).toBe(2);
    expect((await q("schedule", "add", "s", "@daily", '{"command": "x", "after": ["a"]}')).status).toBe(2);
    expect((await q.json("status")).total).toBe(1);
    expect(existsSync(join(q.folder, "x"))).toBe(false);
  });
});
