import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join, resolve } from "node:path";
import { makeGate } from "../support/gate.ts";
import { isRunning, pidIn } from "../support/is-running.ts";
import { type Queuectl, queuectl } from "../support/queuectl.ts";
import { shell } from "../support/shell.ts";
import { atTerminal, ctrlC } from "../support/terminal.ts";
import { waitUntil } from "../support/wait-until.ts";

setDefaultTimeout(180_000);

const ignoreTerm = resolve(import.meta.dir, "../programs/ignore-term.sh");
const once = ["--max-retries", "0"];

/** The pid that a job wrote to a file. */
const theOnlyJob = async (q: Queuectl) => (await q.json("list"))[0];

describe.concurrent("the output of run", () => {
  test("is the command's alone, both streams in their order", async () => {
    await using q = queuectl();
    const { status, stdout, stderr } = await q("run", "echo 1; echo 2 >&2; echo 3; printf 4 >&2");
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "1\n2\n3\n4", stderr: "" });
  });

  test("comes while the command still runs", async () => {
    await using q = queuectl();
    const gate = makeGate(q);
    const run = q.start("run", `echo first; ${gate.command}; echo second`);
    await waitUntil("the first line is there", () => run.stdout() === "first\n");
    gate.open();
    expect(await run.exited).toBe(0);
    await waitUntil("the second line is there", () => run.stdout() === "first\nsecond\n");
  });

  test("is nothing when the command prints nothing", async () => {
    await using q = queuectl();
    expect(await q("run", "true")).toEqual({ status: 0, stdout: "", stderr: "" });
  });

  test("is every byte as the command wrote it", async () => {
    await using q = queuectl();
    const bytes = Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 7) % 256));
    writeFileSync(join(q.folder, "bytes"), bytes);
    const { stdout } = await shell(q, "queuectl run 'cat bytes'");
    expect(stdout.equals(bytes)).toBe(true);
  });

  test("comes before the word of how the run ended", async () => {
    await using q = queuectl();
    const run = atTerminal(q, ["run", ...once, "seq 100000; exit 3"]);
    expect(await run.exited()).toBe(3);
    expect(run.shown().trim().split("\r\n").slice(-2)).toEqual([
      "100000",
      expect.stringContaining("failed, moved to the dead letter queue after 0 retries: exit status 3"),
    ]);
  });

  test("is whole when it is 50 MB long", async () => {
    await using q = queuectl();
    const bytes = 50 * 1024 * 1024;
    const command = `yes 0123456789abcde | head -c ${bytes}`;
    const { stdout } = await shell(
      q,
      `queuectl run '${command}' | tee copy | wc -c; cmp copy $(ls home/logs/jobs/*/*/*)`,
    );
    expect(stdout.toString().trim()).toBe(String(bytes));
    expect((await theOnlyJob(q)).state).toBe("completed");
  });

  test("ends when its reader closes it early, and the command is done all the same", async () => {
    await using q = queuectl();
    const { stdout, stderr } = await shell(q, "queuectl run 'seq 100000' | head -1");
    expect({ stdout: stdout.toString(), stderr }).toEqual({ stdout: "1\n", stderr: "" });
    expect((await theOnlyJob(q)).state).toBe("completed");
  });

  test("that nobody reads any more is said, and that the job goes on", async () => {
    await using q = queuectl();
    const gate = makeGate(q);
    const said = join(q.folder, "said");
    const running = shell(q, `queuectl run "yes | head -100000; ${gate.command}" --id a 2>${said} | head -1`);
    await waitUntil(
      "it is said",
      () => existsSync(said) && readFileSync(said, "utf8").includes("job a goes on"),
    );
    gate.open();
    await running;
    expect((await q.json("show", "a")).state).toBe("completed");
    expect(readFileSync(said, "utf8").split("\n")).toHaveLength(2);
  });

  test.skipIf(!existsSync("/dev/full")).each([
    ["echo hi", 1, "completed"],
    ["echo hi; exit 3", 3, "dead"],
  ])("that cannot be written leaves nothing half-done: %s", async (command, status, state) => {
    await using q = queuectl();
    const gate = makeGate(q);
    const said = join(q.folder, "said");
    const words = `queuectl run --max-retries 0 --id a "echo first; ${gate.command}; ${command}"`;
    const running = shell(q, `${words} >/dev/full 2>${said}`);
    await waitUntil(
      "it is said",
      () => existsSync(said) && readFileSync(said, "utf8").includes("job a goes on"),
    );
    gate.open();
    expect((await running).status).toBe(status);
    expect((await q.json("show", "a")).state).toBe(state);
    expect(await q.ok("logs", "a")).toBe("first\nhi");
    expect(readFileSync(said, "utf8")).toStartWith(
      "queuectl: the output cannot be written: no space left on device\n",
    );
  });

  test("that nobody reads to its end leaves the exit status what it is", async () => {
    await using q = queuectl();
    const script =
      "{ queuectl run 'echo a; sleep 0.3; echo b; exit 7' --max-retries 0; echo $? >&2; } | head -1";
    const { stdout, stderr } = await shell(q, script);
    expect([stdout.toString(), stderr]).toEqual(["a\n", expect.stringMatching(/\n7\n$/)]);
  });

  test("that nobody reads to its end does not keep the word of how the run ended", async () => {
    await using q = queuectl();
    const { stderr } = await shell(q, "queuectl run --max-retries 0 'seq 100000; exit 3' | head -1");
    expect(stderr).toContain("failed, moved to the dead letter queue after 0 retries: exit status 3");
  });

  test("of an earlier attempt is followed by that of the next, retries told on stderr", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "backoff_base", "0.2");
    const { status, stdout, stderr } = await q(
      "run",
      "echo attempt $QUEUECTL_ATTEMPT; [ $QUEUECTL_ATTEMPT = 3 ]",
    );
    expect({ status, stdout }).toEqual({ status: 0, stdout: "attempt 1\nattempt 2\nattempt 3\n" });
    expect(stderr).toContain("will retry in 0.2 s (retry 1 of 3)");
    expect(stderr).toContain("will retry in 0.04 s (retry 2 of 3)".replace("0.04 s", "40 ms"));
  });
});

describe.concurrent("the exit status of run", () => {
  test("is the command's own", async () => {
    await using q = queuectl();
    expect((await q("run", "exit 0")).status).toBe(0);
    for (const status of [1, 3, 255]) expect((await q("run", `exit ${status}`, ...once)).status).toBe(status);
    expect((await q("run", ...once, "--", "sh", "-c", "exit 7")).status).toBe(7);
  });

  test("is the last attempt's when retries were used up", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "backoff_base", "0");
    const { status, stderr } = await q("run", "exit $((40 + QUEUECTL_ATTEMPT))", "--max-retries", "2");
    expect(status).toBe(43);
    expect(stderr).toContain("moved to the dead letter queue after 2 retries: exit status 43");
  });

  test("is 128 and the signal when one ended it", async () => {
    await using q = queuectl();
    for (const signal of ["KILL", "USR1", "SEGV"] as const) {
      const { status } = await q("run", `kill -${signal} $$`, ...once);
      expect(status).toBe(128 + constants.signals[`SIG${signal}`]);
    }
    const { attempts_history: runs } = await q.json("show", (await theOnlyJob(q)).id);
    expect(runs[0]).toMatchObject({ result: "signalled", signal: "SIGSEGV", exit_code: 139 });
  });

  test("is 143 for a command that ends itself by TERM, which then does nothing more", async () => {
    await using q = queuectl();
    const { status, stdout } = await q("run", "echo before; kill $$; echo after", ...once);
    expect({ status, stdout }).toEqual({ status: 143, stdout: "before\n" });
  });

  test("is 124 when it timed out", async () => {
    await using q = queuectl();
    const { status, stderr } = await q("run", "sleep 60", "--timeout", "0.2", ...once);
    expect(status).toBe(124);
    expect(stderr).toContain("TimeoutExpired");
    expect(await theOnlyJob(q)).toMatchObject({ state: "dead", last_exit_code: 124 });
  });

  test("is 130 when somebody cancelled it", async () => {
    await using q = queuectl();
    const gate = makeGate(q);
    const run = q.start("run", gate.command, "--id", "mine");
    await gate.reached();
    await q.ok("cancel", "mine");
    expect(await run.exited).toBe(130);
  });

  test("is 1 when somebody deleted it while it waited", async () => {
    await using q = queuectl();
    const run = q.start("run", "true", "--id", "a", "--delay", "1h");
    await run.says("waiting until");
    await q.ok("delete", "a");
    expect(await run.exited).toBe(1);
    expect(run.stderr().split("there is no job a")).toHaveLength(2);
  });

  test("is 127 for a command that does not exist, naming where it was looked for", async () => {
    await using q = queuectl();
    const { status, stderr } = await q("run", "no-such-command-here", ...once, "--env", "PATH=/usr/bin:/bin");
    expect(status).toBe(127);
    expect(stderr).toContain("/usr/bin:/bin");
  });

  test("is 127 for a folder that does not exist, which is named", async () => {
    await using q = queuectl();
    const { status, stderr } = await q("run", "true", "--cwd", "no/such/folder", ...once);
    expect(status).toBe(127);
    expect(stderr).toContain("no/such/folder");
  });
});

describe.concurrent("whom run works for", () => {
  test("only its own job: others wait on, whatever their priority", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--id", "other", "--priority", "5");
    expect(await q.ok("run", "echo mine")).toBe("mine");
    expect((await q.json("show", "other")).state).toBe("pending");
  });

  test("its job runs here, in this environment, however many idle workers there are", async () => {
    await using q = queuectl();
    const worker = q.start("worker", "--count", "4");
    await worker.says("started");
    for (let round = 0; round < 5; round++) {
      const { stdout } = await shell(q, "umask 077; FOO=mine queuectl run 'echo $FOO; umask'");
      expect(stdout.toString()).toBe("mine\n0077\n");
    }
  });

  test("a job that waited may go to an idle worker: run follows its output, tells its end, and runs nothing twice", async () => {
    await using q = queuectl();
    const worker = q.start("worker", "--count", "4");
    await worker.says("started");
    const runs = await Promise.all(
      [1, 2, 3, 4, 5, 6].map((n) =>
        q("run", `echo ${n}; exit ${n}`, ...once, "--id", `run-${n}`, "--delay", "0.3"),
      ),
    );
    for (const [index, { status, stdout, stderr }] of runs.entries()) {
      const n = index + 1;
      expect(stderr).toContain(
        `job run-${n} failed, moved to the dead letter queue after 0 retries: exit status ${n}`,
      );
      expect({ status, stdout }).toEqual({ status: n, stdout: `${n}\n` });
      expect((await q.json("show", `run-${index + 1}`)).attempts_history).toHaveLength(1);
    }
  });

  test("the job stays in the history like any other", async () => {
    await using q = queuectl();
    await q.ok("run", "echo hello", "--id", "kept", "--tag", "x");
    expect(await q.json("show", "kept")).toMatchObject({ state: "completed", attempts: 1, tags: ["x"] });
    expect(await q.ok("logs", "kept")).toBe("hello");
    expect(await q.json("worker", "list")).toEqual([]);
  });

  test("a scheduled job is waited for, and that is told", async () => {
    await using q = queuectl();
    const { status, stdout, stderr } = await q("run", "echo hello", "--delay", "4");
    expect({ status, stdout }).toEqual({ status: 0, stdout: "hello\n" });
    expect(stderr).toContain("waiting until");
  });

  test("the command knows its job, attempt, queue and home, and has nothing on stdin", async () => {
    await using q = queuectl();
    const command = "cat; echo $QUEUECTL_JOB_ID $QUEUECTL_ATTEMPT $QUEUECTL_QUEUE $QUEUECTL_HOME";
    const { stdout } = await q.with(
      { stdin: "not for the job" },
      "run",
      command,
      "--id",
      "me",
      "--queue",
      "mail",
    );
    expect(stdout).toBe(`me 1 mail ${q.home}\n`);
  });

  test("a job may enqueue another, whose settings are not those of the one it came from", async () => {
    await using q = queuectl();
    await shell(q, "queuectl run 'queuectl enqueue true --id child' --id parent --queue mail");
    expect(await q.json("show", "child")).toMatchObject({ state: "pending", queue: "default" });
  });
});

describe.concurrent("Ctrl-C", () => {
  test("cancels the job, ends its processes, and run ends with 130", async () => {
    await using q = queuectl();
    const run = q.start("run", "sleep 300 & echo $! > pid; wait");
    const pid = await pidIn(join(q.folder, "pid"));
    run.kill("SIGINT");
    expect(await run.exited).toBe(130);
    await run.says("cancelling");
    expect(await theOnlyJob(q)).toMatchObject({ state: "cancelled", attempts: 0 });
    expect(isRunning(pid)).toBe(false);
  });

  test("ends the wait for a retry too, and says what became of the job", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "backoff_base", "100");
    const run = q.start("run", "exit 3", "--id", "job");
    await run.says("will retry in");
    run.kill("SIGINT");
    expect(await run.exited).toBe(130);
    expect(run.stderr()).toContain("job job was cancelled");
  });

  test("typed at a terminal does so too", async () => {
    await using q = queuectl();
    const run = atTerminal(q, ["run", "echo ready; sleep 300"]);
    await run.shows("ready");
    run.type(ctrlC);
    expect(await run.exited()).toBe(130);
    expect(await theOnlyJob(q)).toMatchObject({ state: "cancelled" });
  });

  test("twice forces a command that ignores being asked", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "kill_grace", "3600");
    const run = q.start("run", `echo $$ > pid; exec ${ignoreTerm}`);
    await waitUntil("the command is ready", () => run.stdout().includes("ready"));
    run.kill("SIGINT");
    await run.says("once more forces");
    run.kill("SIGINT");
    expect(await run.exited).toBe(130);
    expect(isRunning(await pidIn(join(q.folder, "pid")))).toBe(false);
    expect(await theOnlyJob(q)).toMatchObject({ state: "cancelled" });
  });
});

describe.concurrent("a command that", () => {
  test("ignores TERM is killed when its time is up", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "kill_grace", "0.2");
    const { status } = await q("run", `echo $$ > pid; exec ${ignoreTerm}`, "--timeout", "0.5", ...once);
    expect(status).toBe(124);
    expect(isRunning(await pidIn(join(q.folder, "pid")))).toBe(false);
  });

  test("leaves a background child holding its output open has it ended, and is told so", async () => {
    await using q = queuectl();
    const { status, stdout, stderr } = await q("run", "sleep 300 & echo $! > pid; echo started");
    expect({ status, stdout }).toEqual({ status: 0, stdout: "started\n" });
    expect(stderr).toContain("ended processes");
    expect(isRunning(await pidIn(join(q.folder, "pid")))).toBe(false);
    expect((await q.json("show", (await theOnlyJob(q)).id)).attempts_history[0].note).toContain(
      "ended processes",
    );
  });

  test("kills its own group takes nobody along", async () => {
    await using q = queuectl();
    expect((await q("run", "echo before; kill -KILL 0", ...once)).status).toBe(137);
    expect((await q("run", "kill -TERM 0", ...once)).status).toBe(143);
    expect(await theOnlyJob(q)).toMatchObject({ state: "dead" });
    expect(await q.json("status")).toMatchObject({ dead: 2, processing: 0 });
  });

  test("writes down its pid and becomes another program is found under that pid", async () => {
    await using q = queuectl();
    const run = q.start("run", "echo $$ > pid; exec sleep 300");
    const pid = await pidIn(join(q.folder, "pid"));
    const name = () =>
      Bun.spawnSync(["ps", "-o", "comm=", "-p", String(pid)])
        .stdout.toString()
        .trim();
    await waitUntil("it is the program", () => name() === "sleep", 5_000);
    run.kill("SIGINT");
    await run.exited;
  });

  test("reads its stdin gets its end at once", async () => {
    await using q = queuectl();
    const { stdout } = await q("run", "wc -c");
    expect(stdout.trim()).toBe("0");
  });
});
