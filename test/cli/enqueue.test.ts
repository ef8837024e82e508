import { describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { program } from "../support/program.ts";
import { type Queuectl, queuectl } from "../support/queuectl.ts";
import { plainEnvironment, shell } from "../support/shell.ts";
import { atTerminal } from "../support/terminal.ts";

setDefaultTimeout(180_000);

/** What a job printed, once it ran. */
async function outputOf(q: Queuectl, id: string): Promise<string> {
  await q.ok("worker", "--until-empty");
  return q.ok("logs", id);
}

describe.concurrent("what enqueue prints", () => {
  test("just the id, so that a script can keep it", async () => {
    await using q = queuectl();
    const script = "id=$(queuectl enqueue 'echo hello') && queuectl show $id --json";
    const { status, stdout, stderr } = await shell(q, script);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(JSON.parse(stdout.toString())).toMatchObject({ command: "echo hello", state: "pending" });
  });

  test("with --json the whole job", async () => {
    await using q = queuectl();
    const job = await q.json("enqueue", "echo hello");
    expect(job).toEqual({
      id: expect.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._:-]{0,63}$/),
      command: "echo hello",
      state: "pending",
      attempts: 0,
      max_retries: 3,
      priority: 1,
      run_at: job.created_at,
      next_run_at: job.created_at,
      timeout: 3600,
      queue: "default",
      tags: [],
      cwd: realpathSync(q.folder),
      env: expect.any(Object),
      key: null,
      held: false,
      unmet: 0,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      updated_at: job.created_at,
      started_at: null,
      finished_at: null,
      last_exit_code: null,
      last_error: null,
      last_duration: null,
      worker_id: null,
    });
    expect((await q.json("list"))[0]).toEqual(job);
  });

  test("at a terminal a hint too when no worker serves the queue, and only then", async () => {
    await using q = queuectl();
    const alone = atTerminal(q, ["enqueue", "true"]);
    expect(await alone.exited()).toBe(0);
    expect(alone.shown()).toContain("no worker serves default");

    const worker = q.start("worker", "--queue", "default");
    await worker.says("started");
    const served = atTerminal(q, ["enqueue", "true"]);
    expect(await served.exited()).toBe(0);
    expect(served.shown()).toMatch(/^\S+\r\n$/);
    const elsewhere = atTerminal(q, ["enqueue", "true", "--queue", "mail"]);
    await elsewhere.exited();
    expect(elsewhere.shown()).toContain("no worker serves mail");
  });
});

describe.concurrent("the command", () => {
  test("words behind -- reach the program exactly as they are", async () => {
    await using q = queuectl();
    const words = [
      "$HOME",
      "a b",
      "",
      "it's",
      '"',
      "*",
      "007",
      "1e3",
      "-x",
      "--",
      "--priority",
      "~",
      "a;b",
      "\\n",
      "ü€😀",
    ];
    const id = await q.ok("enqueue", "--", "printf", "<%s>", ...words);
    expect((await q.json("show", id)).command).toStartWith("printf '<%s>' '$HOME' 'a b' '' ");
    expect(await outputOf(q, id)).toBe(words.map((word) => `<${word}>`).join(""));
  });

  test("a line end in a word behind -- stays in it", async () => {
    await using q = queuectl();
    const id = await q.ok("enqueue", "--", "printf", "%s", "one\ntwo");
    expect(await outputOf(q, id)).toBe("one\ntwo");
  });

  test("a first word behind -- is the program, also when a shell would take it for an assignment", async () => {
    await using q = queuectl();
    writeFileSync(join(q.folder, "A=1"), '#!/bin/sh\necho "the program, A is [$A]"\n');
    chmodSync(join(q.folder, "A=1"), 0o755);
    const id = await q.ok(
      "enqueue",
      "--max-retries",
      "0",
      "--env",
      `PATH=${q.folder}:${process.env.PATH}`,
      "--",
      "A=1",
      "env",
    );
    expect(await outputOf(q, id)).toBe("the program, A is []");
  });

  test("a first word behind -- is the program, also when a shell has a meaning for it", async () => {
    await using q = queuectl();
    writeFileSync(join(q.folder, "if"), "#!/bin/sh\necho the program\n");
    chmodSync(join(q.folder, "if"), 0o755);
    const id = await q.ok(
      "enqueue",
      "--max-retries",
      "0",
      "--env",
      `PATH=${q.folder}:${process.env.PATH}`,
      "--",
      "if",
      "true",
    );
    expect(await outputOf(q, id)).toBe("the program");
  });

  test("quotes, line ends and UTF-8 arrive as they were typed", async () => {
    await using q = queuectl();
    const command = `printf '%s\\n' "it's" 'say "x"'\nprintf 'zwei Zeilen: äöü €\\n'`;
    const id = await q.ok("enqueue", command);
    expect((await q.json("show", id)).command).toBe(command);
    expect(await outputOf(q, id)).toBe('it\'s\nsay "x"\nzwei Zeilen: äöü €');
  });

  test("100 KB are stored and run", async () => {
    await using q = queuectl();
    const text = "x".repeat(100 * 1024);
    const id = await q.ok("enqueue", `printf %s ${text}`);
    expect((await q.json("show", id)).command).toBe(`printf %s ${text}`);
    expect(await outputOf(q, id)).toBe(text);
  });

  test("braces around commands are a shell's, not JSON's", async () => {
    await using q = queuectl();
    const id = await q.ok("enqueue", "{ echo a; echo b; }");
    expect(await outputOf(q, id)).toBe("a\nb");
  });

  test("JSON may have blanks before and inside its brace", async () => {
    await using q = queuectl();
    const id = await q.ok("enqueue", ' {\n  "command" : "echo hello" }\n');
    expect((await q.json("show", id)).command).toBe("echo hello");
  });

  test("an option's value may look like an option when it follows =", async () => {
    await using q = queuectl();
    const id = await q.ok("enqueue", "--command=--version || echo no such program");
    expect((await q.json("show", id)).command).toBe("--version || echo no such program");
  });
});

describe.concurrent("ids", () => {
  test("what looks like a number or a word of JSON stays text", async () => {
    await using q = queuectl();
    for (const id of ["007", "1e3", "0x1F", "1.50", "true", "null", "_a:b.c-d", "7".repeat(64)]) {
      expect(await q.ok("enqueue", "true", "--id", id)).toBe(id);
      expect((await q.json("show", id)).id).toBe(id);
    }
    expect((await q("show", "7.0")).status).toBe(1);
  });

  test("generated ones are short enough to type, and differ", async () => {
    await using q = queuectl();
    await Bun.write(join(q.folder, "jobs"), '{"command":"true"}\n'.repeat(500));
    const ids = (await q.ok("enqueue", "--file", "jobs")).split("\n");
    expect(new Set(ids).size).toBe(500);
    for (const id of ids) expect(id.length).toBeLessThanOrEqual(12);
  });

  test("twenty at once from as many processes are all stored", async () => {
    await using q = queuectl();
    const ids = await Promise.all(Array.from({ length: 20 }, () => q.ok("enqueue", "true")));
    const stored = (await q.json("list")).map(({ id }: { id: string }) => id);
    expect(stored.toSorted()).toEqual(ids.toSorted());
  });
});

describe.concurrent("when and how", () => {
  test("a time in the past means now", async () => {
    await using q = queuectl();
    const id = await q.ok("enqueue", "true", "--run-at", "2020-01-01T00:00:00Z");
    await q.ok("worker", "--until-empty");
    expect((await q.json("show", id)).state).toBe("completed");
  });

  test("a time without an offset is local", async () => {
    await using q = queuectl();
    const { stdout } = await q.with(
      { env: { TZ: "America/New_York" } },
      "enqueue",
      "true",
      "--json",
      "--run-at",
      "2099-01-01T12:00",
    );
    expect(JSON.parse(stdout).run_at).toBe("2099-01-01T17:00:00.000Z");
  });

  test("an offset is obeyed, on the command line and in JSON", async () => {
    await using q = queuectl();
    const { run_at } = await q.json("enqueue", "true", "--run-at", "2099-01-01T12:00:00+05:30");
    expect(run_at).toBe("2099-01-01T06:30:00.000Z");
    const job = await q.json("enqueue", '{"command":"true","run_at":"2099-01-01T12:00:00-02:00"}');
    expect(job.run_at).toBe("2099-01-01T14:00:00.000Z");
  });

  test("+10m and --delay 1h30m count from now", async () => {
    await using q = queuectl();
    const late = (job: { run_at: string; created_at: string }) =>
      Math.round((Date.parse(job.run_at) - Date.parse(job.created_at)) / 60_000);
    expect(late(await q.json("enqueue", "true", "--run-at", "+10m"))).toBe(10);
    expect(late(await q.json("enqueue", "true", "--delay", "1h30m"))).toBe(90);
    expect(late(await q.json("enqueue", "true", "--delay", "120"))).toBe(2);
  });

  test("options are kept, and lie over the keys of JSON", async () => {
    await using q = queuectl();
    const job = await q.json(
      "enqueue",
      '{"command":"true","max_retries":1,"priority":2,"timeout":3,"queue":"a","tags":["one"],"env":{"A":"1","B":"1"}}',
      "--max-retries=9",
      "--priority=5",
      "--timeout=1m30s",
      "--queue=b",
      "--tag=two",
      "--tag=three",
      "--env=B=2=3",
    );
    expect(job).toMatchObject({
      max_retries: 9,
      priority: 5,
      timeout: 90,
      queue: "b",
      tags: ["one", "two", "three"],
      env: { A: "1", B: "2=3" },
    });
  });

  test("retries, priority and timeout are fixed when it is enqueued", async () => {
    await using q = queuectl();
    const id = await q.ok("enqueue", "true");
    for (const [key, value] of [
      ["max_retries", "7"],
      ["priority", "4"],
      ["timeout", "9"],
    ] as const) {
      await q.ok("config", "set", key, value);
    }
    expect(await q.json("show", id)).toMatchObject({ max_retries: 3, priority: 1, timeout: 3600 });
    expect(await q.json("enqueue", "true")).toMatchObject({ max_retries: 7, priority: 4, timeout: 9 });
  });

  test("a setting in the environment lies over the stored one", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "priority", "2");
    const { stdout } = await q.with({ env: { QUEUECTL_PRIORITY: "4" } }, "enqueue", "true", "--json");
    expect(JSON.parse(stdout).priority).toBe(4);
    expect((await q.json("enqueue", "true")).priority).toBe(2);
  });

  test("a job runs where it was enqueued, or where --cwd says", async () => {
    await using q = queuectl();
    const folder = realpathSync(q.folder);
    mkdirSync(join(folder, "here", "below"), { recursive: true });
    const here = { cwd: join(folder, "here") };
    const one = (await q.with(here, "enqueue", "pwd")).stdout.trim();
    const two = (await q.with(here, "enqueue", "pwd", "--cwd", "below")).stdout.trim();
    const three = (await q.with(here, "enqueue", '{"command":"pwd","cwd":"/"}')).stdout.trim();
    await q.ok("worker", "--until-empty");
    expect(await q.ok("logs", one)).toBe(join(folder, "here"));
    expect(await q.ok("logs", two)).toBe(join(folder, "here", "below"));
    expect(await q.ok("logs", three)).toBe("/");
  });
});

describe.concurrent("variables", () => {
  test("PATH and the language go along from where it was enqueued, nothing else does", async () => {
    await using q = queuectl();
    const path = `${join(q.folder, "tools")}:${process.env.PATH}`;
    mkdirSync(join(q.folder, "tools"));
    writeFileSync(
      join(q.folder, "tools", "my-tool"),
      "#!/bin/sh\necho found it, LANG is $LANG, SECRET is [$SECRET]\n",
    );
    chmodSync(join(q.folder, "tools", "my-tool"), 0o755);
    const env = { PATH: path, LANG: "de_DE.UTF-8", SECRET: "1234" };
    const { stdout } = await q.with({ env }, "enqueue", "my-tool");
    const id = stdout.trim();
    expect((await q.json("show", id)).env).toMatchObject({ PATH: path, LANG: "de_DE.UTF-8" });
    expect((await q.json("show", id)).env).not.toContainKey("SECRET");
    expect(await outputOf(q, id)).toBe("found it, LANG is de_DE.UTF-8, SECRET is []");
  });

  test("capture_env says which go along; none when it is empty", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "capture_env", "SECRET, NOT_SET");
    const job = async () =>
      JSON.parse((await q.with({ env: { SECRET: "1234" } }, "enqueue", "true", "--json")).stdout);
    expect((await job()).env).toEqual({ SECRET: "1234" });
    await q.ok("config", "set", "capture_env", "");
    expect((await job()).env).toEqual({});
  });

  test("--env takes one along from here, or gives it a value", async () => {
    await using q = queuectl();
    const { stdout } = await q.with(
      { env: { FROM_HERE: "a b" } },
      "enqueue",
      'echo "$FROM_HERE,$GIVEN,$EMPTY."',
      "--env",
      "FROM_HERE",
      "--env",
      "GIVEN=x=y",
      "--env",
      "EMPTY=",
    );
    expect(await outputOf(q, stdout.trim())).toBe("a b,x=y,.");
  });

  test("a worker's own variables reach a job below those of the job", async () => {
    await using q = queuectl({ OF_WORKER: "worker", OF_BOTH: "worker" });
    const id = await q.ok("enqueue", "echo $OF_WORKER $OF_BOTH", "--env", "OF_BOTH=job");
    expect(await outputOf(q, id)).toBe("worker job");
  });
});

describe.concurrent("files", () => {
  const lines = [
    '{"command":"echo 1","id":"a"}',
    '{"command":"echo 2","id":"b"}',
    '{"command":"echo 3","id":"c"}',
  ];

  test("an object, an array and lines are told apart, and keep their order", async () => {
    for (const content of [
      `${lines.join("\n")}\n`,
      lines.join("\r\n\r\n"),
      `[${lines.join(",\n")}]`,
      `\n\n[${lines.join(",")}]\n`,
      `\uFEFF${lines.join("\n")}`,
    ]) {
      await using q = queuectl();
      await Bun.write(join(q.folder, "jobs"), content);
      expect(await q.ok("enqueue", "--file", "jobs")).toBe("a\nb\nc");
      expect((await q.json("list")).map(({ id }: { id: string }) => id)).toEqual(["c", "b", "a"]);
    }
  });

  test("- is stdin", async () => {
    await using q = queuectl();
    const { status, stdout } = await q.with({ stdin: lines.join("\n") }, "enqueue", "--file", "-");
    expect({ status, stdout }).toEqual({ status: 0, stdout: "a\nb\nc\n" });
  });

  test("what cannot be read is said in plain words, and of a device there is nothing", async () => {
    await using q = queuectl();
    const file = join(q.folder, "jobs");
    symlinkSync(file, file);
    const reads = async (path: string) => {
      const { status, stderr } = await q("enqueue", "--file", path);
      return [status, stderr];
    };
    expect(await reads("")).toEqual([
      2,
      "queuectl: the file's name is empty (name a file, or - for standard input)\n",
    ]);
    expect(await reads("none")).toEqual([1, "queuectl: none cannot be read: it does not exist\n"]);
    expect(await reads(q.folder)).toEqual([1, `queuectl: ${q.folder} cannot be read: it is a folder\n`]);
    expect(await reads("jobs")).toEqual([
      1,
      "queuectl: jobs cannot be read: too many symbolic links encountered\n",
    ]);
    expect(await reads("/dev/null")).toEqual([0, "queuectl: the list is empty; no job is stored\n"]);
    const folder = await shell(q, "queuectl enqueue --file - < .");
    expect(folder.stderr.toString()).toBe("queuectl: standard input cannot be read: it is a folder\n");
  });

  test("a list of plain commands is refused with the way to make jobs of it, and that way works", async () => {
    await using q = queuectl();
    await Bun.write(join(q.folder, "commands"), "echo one\necho 'two three' | cat\n");
    const { status, stderr } = await q("enqueue", "--file", "commands");
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: `queuectl: line 1 is no JSON: "echo one" (of commands, one a line, jq -cR '{command: .}' makes it; --each takes a list of values)\n`,
    });
    if (Bun.which("jq") === null) return;
    await shell(q, "jq -cR '{command: .}' commands | queuectl enqueue --file -");
    const commands = (await q.json("list")).map(({ command }: { command: string }) => command);
    expect(commands).toEqual(["echo 'two three' | cat", "echo one"]);
  });

  test("options lie over every job of it", async () => {
    await using q = queuectl();
    await q.with({ stdin: lines.join("\n") }, "enqueue", "--file", "-", "--priority", "4", "--queue", "bulk");
    expect(await q.json("list", "--queue", "bulk")).toMatchObject(lines.map(() => ({ priority: 4 })));
  });

  test("with --json one document says what was stored", async () => {
    await using q = queuectl();
    const { stdout } = await q.with({ stdin: lines.join("\n") }, "enqueue", "--file", "-", "--json");
    expect(JSON.parse(stdout)).toHaveLength(3);
  });

  test("ten thousand lines are stored all or none", async () => {
    await using q = queuectl();
    const many = '{"command":"true"}\n'.repeat(10_000);
    expect((await q.with({ stdin: `${many}{"command":}\n` }, "enqueue", "--file", "-")).stderr).toContain(
      "line 10001",
    );
    expect((await q.json("status")).total).toBe(0);
    expect((await q.with({ stdin: many }, "enqueue", "--file", "-")).stdout.split("\n")).toHaveLength(10_001);
    expect((await q.json("status")).pending).toBe(10_000);
  });

  test("a job that show printed can be enqueued again", async () => {
    await using q = queuectl();
    const options = ["--tag", "x", "--queue", "mail", "--priority", "3", "--timeout", "7", "--env", "A=1"];
    const id = await q.ok("enqueue", "true", ...options, "--run-at", "2026-01-01T00:00:00Z");
    await q.ok("worker", "--until-empty");
    const shown = await q.ok("show", id, "--json");
    await q.ok("delete", id);
    expect((await q.with({ stdin: shown }, "enqueue", "--file", "-")).stdout).toBe(`${id}\n`);
    const { command, priority, queue, tags, timeout, env, cwd, run_at } = JSON.parse(shown);
    expect(await q.json("show", id)).toMatchObject({
      ...{ command, priority, queue, tags, timeout, env, cwd, run_at },
      state: "pending",
      attempts: 0,
      finished_at: null,
      attempts_history: [],
    });
  });
});

describe.concurrent("the home folder", () => {
  test("only its owner may look inside, whatever the umask", async () => {
    await using q = queuectl();
    await shell(
      q,
      "umask 000; queuectl run 'echo hello'; queuectl enqueue true; queuectl worker --until-empty",
    );
    const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
    expect(modeOf(q.home)).toBe("700");
    const entries = readdirSync(q.home, { recursive: true, withFileTypes: true });
    expect(entries.map(({ name }) => name)).toContain("queue.db");
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name);
      expect({ path, mode: modeOf(path) }).toEqual({ path, mode: entry.isDirectory() ? "700" : "600" });
    }
  });

  test("it is .queuectl in the user's home unless QUEUECTL_HOME names another", async () => {
    await using q = queuectl();
    await shell(q, "unset QUEUECTL_HOME; queuectl enqueue true");
    expect(readdirSync(join(q.folder, ".queuectl"))).toContain("queue.db");
  });

  test("a relative QUEUECTL_HOME counts from here, and a job gets it whole", async () => {
    await using q = queuectl();
    const { stdout } = await shell(q, "QUEUECTL_HOME=mine queuectl run 'echo $QUEUECTL_HOME'");
    expect(stdout.toString()).toBe(`${join(realpathSync(q.folder), "mine")}\n`);
  });
});

describe.concurrent("what Bun adds", () => {
  const root = resolve(import.meta.dir, "../..");
  const shellsOwn = ["PWD", "OLDPWD", "SHLVL", "_"];

  test("a job's environment is the user's own and five words about itself", async () => {
    await using q = queuectl();
    const env = plainEnvironment(q);
    const child = Bun.spawn([...program, "run", "env"], { cwd: q.folder, env, stdout: "pipe" });
    const names = (await child.stdout.text())
      .trim()
      .split("\n")
      .map((line) => line.split("=")[0]!);
    const expected = [
      ...Object.keys(env),
      "QUEUECTL_JOB_ID",
      "QUEUECTL_ATTEMPT",
      "QUEUECTL_QUEUE",
      "QUEUECTL_RUN",
    ];
    expect(names.filter((name) => !shellsOwn.includes(name)).toSorted()).toEqual(expected.toSorted());
  });

  test("`bun queuectl` in a checkout passes on neither npm_*, nor NODE, nor folders in PATH", async () => {
    await using q = queuectl();
    const env = plainEnvironment(q);
    const child = Bun.spawn([process.execPath, "queuectl", "run", "env"], { cwd: root, env, stdout: "pipe" });
    const lines = (await child.stdout.text()).trim().split("\n");
    expect(lines).toContain(`PATH=${env.PATH}`);
    expect(lines.filter((line) => /^(npm_|NODE|INIT_CWD|BUN_)/.test(line))).toEqual([]);
  });

  test("a .env file where it is called reaches neither a job nor the settings", async () => {
    await using q = queuectl();
    writeFileSync(join(q.folder, ".env"), "FROM_DOTENV=1\nQUEUECTL_PRIORITY=5\nQUEUECTL_HOME=/nonexistent\n");
    const id = await q.ok("enqueue", "echo [$FROM_DOTENV]");
    expect((await q.json("show", id)).priority).toBe(1);
    expect(await outputOf(q, id)).toBe("[]");
    expect(await q.ok("run", "echo [$FROM_DOTENV]")).toBe("[]");
  });
});
