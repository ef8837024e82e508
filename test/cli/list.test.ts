import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { type Queuectl, queuectl } from "../support/queuectl.ts";
import { shell } from "../support/shell.ts";
import { atTerminal } from "../support/terminal.ts";

setDefaultTimeout(180_000);

const idsOf = async (q: Queuectl, ...words: string[]) =>
  (await q.json("list", ...words)).map(({ id }: { id: string }) => id);

async function enqueueMany(q: Queuectl, count: number): Promise<void> {
  const lines = Array.from({ length: count }, (_, n) => `{"command":"echo ${n}","id":"job-${n}"}`);
  await Bun.write(join(q.folder, "jobs"), lines.join("\n"));
  await q.ok("enqueue", "--file", "jobs");
}

describe.concurrent("list", () => {
  test("is [] when there is nothing, and no failure", async () => {
    await using q = queuectl();
    expect(await q("list", "--json")).toEqual({ status: 0, stdout: "[]\n", stderr: "" });
    expect(await q("list")).toMatchObject({ status: 0, stdout: "" });
  });

  test("shows the newest 50, and says of how many on stderr", async () => {
    await using q = queuectl();
    await enqueueMany(q, 60);
    const rows = await q("list");
    expect(rows.stdout.trim().split("\n")).toHaveLength(50);
    expect(rows.stdout).toStartWith("job-59\t");
    expect(rows.stderr).toContain("50 of 60");
    const json = await q("list", "--json");
    expect(JSON.parse(json.stdout)).toHaveLength(50);
    expect(json.stderr).toContain("50 of 60");
    const all = await q("list", "--json", "--limit", "0");
    expect(JSON.parse(all.stdout)).toHaveLength(60);
    expect(all.stderr).toBe("");
    expect(await idsOf(q, "--limit", "2")).toEqual(["job-59", "job-58"]);
  });

  test("finds jobs by queue, tag, state and words, alone and together", async () => {
    await using q = queuectl();
    await q.ok(
      "enqueue",
      "convert Movie.mov",
      "--id",
      "a",
      "--queue",
      "video",
      "--tag",
      "big",
      "--tag",
      "mine",
    );
    await q.ok("enqueue", "convert picture.png", "--id", "b", "--queue", "video", "--tag", "mine");
    await q.ok("enqueue", "echo 100%_sure", "--id", "movie-night", "--tag", "big");
    await q.ok("cancel", "b");
    expect(await idsOf(q, "--queue", "video")).toEqual(["b", "a"]);
    expect(await idsOf(q, "--tag", "big")).toEqual(["movie-night", "a"]);
    expect(await idsOf(q, "--search", "MOVIE")).toEqual(["movie-night", "a"]);
    expect(await idsOf(q, "--search", "%_")).toEqual(["movie-night"]);
    expect(await idsOf(q, "--state", "pending", "--queue", "video")).toEqual(["a"]);
    expect(await idsOf(q, "--search", "convert", "--tag", "mine", "--state", "cancelled")).toEqual(["b"]);
    expect(await idsOf(q, "--state", "cancelled,pending")).toEqual(["movie-night", "b", "a"]);
    expect(await idsOf(q, "--state", "pending, cancelled", "--queue", "video", "--limit", "1")).toEqual([
      "b",
    ]);
    expect(await idsOf(q, "--queue", "nowhere")).toEqual([]);
  });

  test("plain rows have tabs between their cells, and none within", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "printf 'a\tb'\necho c", "--id", "one");
    const { stdout } = await q("list");
    const cells = stdout.trimEnd().split("\t");
    expect(stdout.trimEnd().split("\n")).toHaveLength(1);
    expect([cells[0], cells[1], cells.at(-1)]).toEqual(["one", "pending", "printf 'a b' echo c"]);
  });

  test("a reader that leaves early is no trouble", async () => {
    await using q = queuectl();
    await enqueueMany(q, 5000);
    for (const command of ["list --limit 0", "list --limit 0 --json", "worker list --json"]) {
      const { stdout, stderr } = await shell(q, `queuectl ${command} | head -1`);
      expect(stdout.toString().split("\n").length).toBeLessThanOrEqual(2);
      expect(stderr).toBe("");
    }
  });
});

describe.concurrent("list at a terminal", () => {
  const esc = "\x1b[";

  test("is a table with a heading and colours", async () => {
    await using q = queuectl();
    await q.ok("run", "true", "--id", "done");
    const list = atTerminal(q, ["list"]);
    expect(await list.exited()).toBe(0);
    expect(list.shown()).toMatch(/ID.*STATE.*COMMAND/);
    expect(list.shown()).toContain(`${esc}32mcompleted`);
  });

  test("has no colours when NO_COLOR is set", async () => {
    await using q = queuectl();
    await q.ok("run", "true", "--id", "done");
    const list = atTerminal(q, ["list"], { env: { NO_COLOR: "1" } });
    await list.exited();
    expect(list.shown()).toMatch(/ID +STATE/);
    expect(list.shown()).not.toContain(esc);
  });

  test("cuts rows to the terminal's width", async () => {
    await using q = queuectl();
    await q.ok("enqueue", `echo ${"x".repeat(500)}`);
    const list = atTerminal(q, ["list"], { columns: 70, env: { NO_COLOR: "1" } });
    await list.exited();
    for (const line of list.shown().trimEnd().split("\r\n"))
      expect(Bun.stringWidth(line)).toBeLessThanOrEqual(70);
    expect(list.shown()).toContain("…");
  });

  test("leaves out on a narrow terminal what can be spared, so that the command is seen", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "echo one two three", "--id", "job");
    const shown = async (columns: number) => {
      const list = atTerminal(q, ["list"], { columns, env: { NO_COLOR: "1" } });
      await list.exited();
      return list.shown().trimEnd().split("\r\n");
    };
    expect((await shown(60))[0]).toMatch(/^ID +STATE +QUEUE +ATTEMPTS +WHEN +COMMAND$/);
    expect((await shown(40))[0]).toMatch(/^ID +STATE +WHEN +COMMAND$/);
    expect((await shown(40))[1]).toContain("echo one two three");
    expect((await shown(10))[1]).toStartWith("job");
  });

  test("of queues, workers, schedules and alerts keeps on a narrow terminal what matters most, whole", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--delay", "1h");
    await q.ok("queue", "set", "default", "--concurrency", "2", "--rate", "5/m");
    await q.ok("schedule", "add", "nightly", "30 2 * * *", "./backup.sh", "--tz", "Europe/Berlin");
    await q.ok("alert", "add", "deaths", "--on", "dead", "--webhook", "https://hooks.example.org/queue");
    const worker = q.start("worker", "--queue", "media");
    await worker.says("started");
    const shown = async (columns: number, ...words: string[]) => {
      const list = atTerminal(q, words, { columns, env: { NO_COLOR: "1" } });
      await list.exited();
      return list.shown().trimEnd().split("\r\n");
    };
    expect((await shown(40, "queue", "list"))[0]).toMatch(/^QUEUE +STATE +PENDING +RUNNING +DEAD$/);
    expect((await shown(60, "queue", "list"))[0]).toMatch(/RUNNING +DEAD +OLDEST WAITS$/);
    expect((await shown(40, "worker", "list"))[0]).toMatch(/^ID +STATE +JOB\b.*\w$/);
    expect((await shown(60, "worker", "list"))[1]).toMatch(/media .*ago$/);
    expect((await shown(40, "schedule", "list"))[1]).toMatch(/^nightly +in .* \.\/backup\.sh$/);
    expect((await shown(40, "alert", "list"))[0]).toMatch(/^NAME .*STATE +ANSWER$/);
  });

  test("leaves ids whole on a narrow terminal, however long", async () => {
    await using q = queuectl();
    const id = "0b0f2f4e-1111-2222-3333-444455556666";
    await q.ok("enqueue", "echo one two three", "--id", id);
    const list = atTerminal(q, ["list"], { columns: 70, env: { NO_COLOR: "1" } });
    await list.exited();
    expect(list.shown()).toContain(`${id}  pending`);
  });

  test("of dead letters shows the error behind a long command", async () => {
    await using q = queuectl();
    await q("run", `exit 3 # ${"x".repeat(300)}`, "--max-retries", "0");
    const list = atTerminal(q, ["dlq", "list"], { columns: 80, env: { NO_COLOR: "1" } });
    await list.exited();
    expect(list.shown()).toContain("exit status 3");
    expect(list.shown()).toContain("…");
  });

  test("shows what a command contains without obeying it", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "echo '\x1b]0;owned\x07\x1b[2J\u202e'", "--id", "evil");
    for (const words of [["list"], ["show", "evil"]]) {
      const view = atTerminal(q, words, { env: { NO_COLOR: "1" } });
      await view.exited();
      expect(view.shown()).toContain("owned");
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(view.shown()).not.toMatch(/[\x1b\x07\u202e]/);
      expect((await q(...words)).stdout).not.toContain("\x1b");
    }
  });

  test("--json is the same document as elsewhere", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true");
    const list = atTerminal(q, ["list", "--json"]);
    await list.exited();
    expect(JSON.parse(list.shown())).toEqual(await q.json("list"));
  });
});
