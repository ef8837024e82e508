import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { queuectl } from "../support/queuectl.ts";

setDefaultTimeout(180_000);

const add = ["schedule", "add"];

describe.concurrent("schedule", () => {
  test("add prints the name, and says on stderr when the first time is", async () => {
    await using q = queuectl({ TZ: "Europe/Berlin" });
    const added = await q(...add, "nightly", "30 2 * * *", "echo hi");
    expect(added).toMatchObject({ status: 0, stdout: "nightly\n" });
    expect(added.stderr).toMatch(/^first at \d{4}-\d\d-\d\d 02:30:00 \+0[12]:00\n/);
  });

  test("list and show have what was said, and the defaults for the rest", async () => {
    await using q = queuectl();
    expect(await q("schedule", "list", "--json")).toEqual({ status: 0, stdout: "[]\n", stderr: "" });
    await q.ok(...add, "a", "@daily", "true", "--tz", "europe/berlin");
    const options =
      "--missed all --overlap replace --jitter 90s --queue mail --priority 4 --timeout 1m --max-retries 0 --tag x --cwd /tmp";
    await q.ok(...add, "b", "*/5 * * * * *", "--env", "A=1", ...options.split(" "), "--", "echo", "a b");
    const [a, b] = await q.json("schedule", "list");
    expect(a).toMatchObject({
      name: "a",
      cron: "@daily",
      tz: "Europe/Berlin",
      missed: "one",
      overlap: "skip",
      jitter: 0,
      paused: false,
      last_at: null,
      last_job: null,
      job: { command: "true", queue: "default", max_retries: 3 },
    });
    expect(b).toMatchObject({
      missed: "all",
      overlap: "replace",
      jitter: 90,
      job: {
        command: "echo 'a b'",
        queue: "mail",
        priority: 4,
        timeout: 60,
        max_retries: 0,
        tags: ["x"],
        cwd: "/tmp",
        env: { A: "1" },
      },
    });
    const shown = await q.json("schedule", "show", "b");
    expect(shown.next_times).toHaveLength(5);
    expect(shown.next_times[0]).toBe(shown.next_at);
    expect(shown.runs).toEqual([]);
    expect((await q.ok("schedule", "list")).split("\n")[0]).toContain("@daily");
    await q.ok(...add, "c", "@daily", "true", "--key", "nas");
    expect((await q.json("schedule", "show", "c")).job.key).toBe("nas");
    expect(await q.ok("schedule", "show", "c")).toMatch(/^key\s+nas$/m);
  });

  test("what it runs may be JSON, which has no id and no moment of its own", async () => {
    await using q = queuectl();
    await q.ok(...add, "a", "@daily", '{"command": "true", "priority": 5}');
    expect((await q.json("schedule", "show", "a")).job).toMatchObject({ command: "true", priority: 5 });
    const refused = await q(...add, "b", "@daily", '{"command": "true", "id": "x"}');
    expect([refused.status, refused.stderr]).toEqual([2, expect.stringContaining("id")]);
  });

  test("run makes a job at once that says where it comes from, and can be enqueued again as it is printed", async () => {
    await using q = queuectl();
    await q.ok(...add, "a", "@yearly", "echo by hand");
    const id = await q.ok("schedule", "run", "a");
    await q.ok("worker", "--until-empty");
    expect(await q.ok("logs", id)).toBe("by hand");
    const job = await q.json("show", id);
    expect(job).toMatchObject({ schedule: "a", scheduled_for: null, state: "completed" });
    expect(await q.ok("show", id)).toContain("a, by hand");
    expect((await q.json("schedule", "show", "a")).runs).toMatchObject([{ id, scheduled_for: null }]);
    await q.ok("enqueue", JSON.stringify({ ...job, id: "again" }));
  });

  test("run makes a job that queues behind those of the times, where these queue", async () => {
    await using q = queuectl();
    await q.ok(...add, "a", "@yearly", "true", "--overlap", "queue");
    const id = await q.ok("schedule", "run", "a");
    expect((await q.json("show", id)).key).toBe("schedule a");
  });

  test("pause and resume take several, and none when one is not there", async () => {
    await using q = queuectl();
    for (const name of ["a", "b"]) await q.ok(...add, name, "@daily", "true");
    expect((await q("schedule", "pause", "a", "c")).status).toBe(1);
    const paused = async () =>
      (await q.json("schedule", "list")).map((one: { paused: boolean }) => one.paused);
    expect(await paused()).toEqual([false, false]);
    expect((await q("schedule", "pause", "a", "b", "a")).stderr).toBe(
      "schedule a is paused\nschedule b is paused\n",
    );
    expect(await paused()).toEqual([true, true]);
    expect((await q.json("schedule", "show", "a")).next_times).toEqual([]);
    const resumed = await q("schedule", "resume", "a", "b");
    expect(resumed.stderr).toContain("schedule b goes on at");
    expect((await q.json("schedule", "show", "a")).next_times).toHaveLength(5);
    await q.ok("schedule", "delete", "a", "b");
    expect(await q.json("schedule", "list")).toEqual([]);
  });

  test("a worker makes jobs of the times, and one that goes when the queue is empty does not", async () => {
    await using q = queuectl();
    await q.ok(...add, "tick", "* * * * * *", "true");
    await q.ok("worker", "--until-empty");
    expect(await q.json("list")).toEqual([]);
    const worker = q.start("worker");
    await worker.says("schedule tick makes job");
    await worker.says("completed");
    const [job] = await q.json("list");
    const { schedule, scheduled_for } = await q.json("show", job.id);
    expect([schedule, scheduled_for]).toEqual(["tick", job.run_at]);
  });

  test("preview shows times in the zone and in UTC, and marks where the clock is changed", async () => {
    await using q = queuectl();
    // Two years and more: each change is in it with the day before.
    const times = await q.json(
      "schedule",
      "preview",
      "30 2 * * *",
      "--tz",
      "Europe/Berlin",
      "--count",
      "800",
    );
    expect(times).toHaveLength(800);
    const notes = times.map(({ note }: { note: string | null }) => note);
    expect(notes).toContain("the clock was set forward by 1h; there is no 02:30 on this day");
    expect(notes).toContain("the clock was set back by 1h");
    expect(notes).toContain("the first of two 02:30");
    expect(notes.filter((note: string | null) => note !== null).length).toBeLessThan(10);
    const [moved] = times.filter(({ note }: { note: string | null }) => note?.includes("no 02:30"));
    expect(moved.local).toMatch(/03:00:00 \+02:00$/);
    expect((await q.ok("schedule", "preview", "@daily", "--tz", "UTC")).split("\n")).toHaveLength(10);
  });

  test("import adds all of a crontab, or shows what it would add", async () => {
    await using q = queuectl({ HOME: "/tmp" });
    const crontab = "MAILTO=me\nA=1\n@daily ./a.sh\n*/5 * * * * ./b.sh > /dev/null\n@reboot ./c.sh\n";
    const shown = await q.with({ stdin: crontab }, "schedule", "import", "-", "--dry-run");
    expect(shown).toMatchObject({ status: 0 });
    expect(shown.stderr).toContain("2 schedules would be stored");
    expect(shown.stderr).toContain("line 5 is left out");
    expect(await q.json("schedule", "list")).toEqual([]);
    const imported = await q.with(
      { stdin: crontab },
      "schedule",
      "import",
      "-",
      "--queue",
      "cron",
      "--tz",
      "UTC",
      "--json",
    );
    expect(JSON.parse(imported.stdout)).toMatchObject([
      { name: "a.sh", cron: "@daily", job: { queue: "cron", cwd: "/tmp", env: { A: "1" } } },
      { name: "b.sh", tz: "UTC", job: { command: "./b.sh > /dev/null" } },
    ]);
    // As `schedule add` prints it.
    expect(JSON.parse(imported.stdout)[0].job).not.toHaveProperty("after");
    expect(imported.stderr).toContain("2 schedules stored");
    expect(await q.with({ stdin: crontab }, "schedule", "import", "-", "--dry-run")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("there already is a schedule a.sh"),
    });
    const again = await q.with({ stdin: crontab }, "schedule", "import", "-", "--dry-run", "--replace");
    expect(again).toMatchObject({ status: 0 });
    expect(again.stderr).not.toContain("stay as");
    expect(
      await q.with({ stdin: "@daily ./a.sh\n" }, "schedule", "import", "-", "--dry-run", "--replace"),
    ).toMatchObject({ stderr: expect.stringContaining("no line of it makes stay as they are: b.sh\n") });
    // Twice would run everything twice.
    expect(await q.with({ stdin: `@daily new\n${crontab}` }, "schedule", "import", "-")).toMatchObject({
      status: 1,
    });
    expect(await q.with({ stdin: "@daily new\nnonsense\n" }, "schedule", "import", "-")).toMatchObject({
      status: 2,
    });
    expect((await q.json("schedule", "list")).map(({ name }: { name: string }) => name)).toEqual([
      "a.sh",
      "b.sh",
    ]);
    expect(await q.with({ stdin: "# none\n" }, "schedule", "import", "-")).toMatchObject({ status: 2 });
    // With something else in its place the command would be another one.
    await Bun.write(`${q.home}/latin`, Buffer.from("A=1\n@daily /home/ren\xe9/x.sh\n", "latin1"));
    expect(await q("schedule", "import", `${q.home}/latin`)).toMatchObject({
      status: 2,
      stderr: "queuectl: line 2: the file is not UTF-8 text\n",
    });
    expect(await q("schedule", "import", "nowhere")).toMatchObject({ status: 1 });
    expect(await q("schedule", "import", "/etc/cron.d/backup")).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("has a user in each line"),
    });
  });

  const refused: [words: string[], status: number, says: string][] = [
    [[...add, "a", "* * * *", "true"], 2, "five fields"],
    [[...add, "a", "61 * * * *", "true"], 2, "minute"],
    [[...add, "a", "@reboot", "true"], 2, "@reboot"],
    [[...add, "a", "0 0 31 2 *", "true"], 2, "never comes"],
    [[...add, "a", "@daily"], 2, "what is to be run"],
    [[...add, "a", "@daily", "true", "false"], 2, "quote"],
    [[...add, "a b", "@daily", "true"], 2, "name of a schedule"],
    [[...add, "a", "@daily", "true", "--tz", "Nowhere"], 2, "Nowhere"],
    [[...add, "a", "@daily", "true", "--missed", "some"], 2, "skip, one or all"],
    [[...add, "a", "@daily", "true", "--overlap", "kill"], 2, "skip, queue or replace"],
    [[...add, "a", "@daily", "true", "--jitter", "2d"], 2, "jitter"],
    [[...add, "a", "@daily", "true", "--queue", "a b"], 2, "queue"],
    [[...add, "a", "@daily", "true", "--id", "x"], 2, "--id"],
    [["schedule", "show", "a"], 1, "there is no schedule"],
    [["schedule", "run", "a"], 1, "there is no schedule"],
    [["schedule", "delete", "a"], 1, "there is no schedule"],
    [["schedule", "preview", "every day"], 2, "five fields"],
    [["schedule", "preview", "@daily", "--count", "0"], 2, "count"],
  ];
  for (const [words, status, says] of refused) {
    test(`${words.join(" ")} is refused in one line`, async () => {
      await using q = queuectl();
      const result = await q(...words);
      expect(result).toMatchObject({ status, stdout: "" });
      expect(result.stderr).toContain(says);
      expect(result.stderr.trim().split("\n")).toHaveLength(1);
    });
  }

  test("a taken name is refused, unless what has it is to be replaced", async () => {
    await using q = queuectl();
    await q.ok(...add, "a", "@daily", "true");
    expect(await q(...add, "a", "@daily", "false")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("--replace"),
    });
    await q.ok("schedule", "pause", "a");
    const replaced = await q(...add, "a", "@hourly", "false", "--replace");
    expect(replaced).toMatchObject({ status: 0, stderr: expect.stringContaining("stays paused") });
    const [a, ...others] = await q.json("schedule", "list");
    expect([a, others]).toMatchObject([{ cron: "@hourly", paused: true, job: { command: "false" } }, []]);
  });
});
