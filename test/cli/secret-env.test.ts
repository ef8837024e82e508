// Variables of a command whose values are stored nowhere.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Queuectl, queuectl } from "../support/queuectl.ts";

setDefaultTimeout(180_000);

const secret = "tr0ub4dor-and-3";

/** All that queuectl wrote, without what commands printed. */
function written(q: Queuectl): string {
  const files = readdirSync(q.home, { recursive: true, encoding: "utf8" })
    .map((name) => join(q.home, name))
    .filter((path) => statSync(path).isFile() && !path.includes("/logs/jobs/"));
  return files.map((path) => readFileSync(path, "latin1")).join("\n");
}

describe.concurrent("a secret variable", () => {
  test("is the worker's when the command starts, and in nothing that queuectl stores or shows", async () => {
    await using q = queuectl();
    const command = `test "$TOKEN" = ${secret.replace("3", "$((2+1))")} && echo right`;
    await q.ok("enqueue", command, "--id", "a", "--secret-env", "TOKEN", "--max-retries", "0");
    await q.with({ env: { TOKEN: secret } }, "worker", "--until-empty");
    expect(await q.json("show", "a")).toMatchObject({ state: "completed", secret_env: ["TOKEN"] });
    expect(await q.ok("logs", "a")).toBe("right");
    expect(await q.ok("show", "a")).toContain("TOKEN of the worker");
    expect(written(q)).not.toContain(secret);
  });

  test("may stand in a file, which is read when the command starts, without its last line end", async () => {
    await using q = queuectl();
    const path = join(q.folder, "pass word");
    await q.ok("enqueue", 'printf %s "$PASS"', "--id", "a", "--secret-env", "PASS=@pass word");
    expect((await q.json("show", "a")).secret_env).toEqual([`PASS=@${path}`]);
    writeFileSync(path, `two words\n${secret}\n`);
    await q.ok("worker", "--until-empty", "--quiet");
    expect(await q.ok("logs", "a")).toBe(`two words\n${secret}`);
    expect(written(q)).not.toContain(secret);
  });

  test("that cannot be had is a failed run that says so, and a later one may have it", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "echo $TOKEN", "--id", "a", "--secret-env", "TOKEN", "--backoff-base", "0");
    await q.ok("enqueue", "true", "--id", "b", "--secret-env", "T=@/nowhere/t", "--max-retries", "0");
    await q.ok("enqueue", "true", "--id", "c", "--secret-env", "T=@/dev/null", "--max-retries", "0");
    await q.ok("enqueue", "true", "--id", "d", "--max-retries", "0");
    writeFileSync(join(q.folder, "latin"), Buffer.from("p\xe9", "latin1"));
    await q.ok("enqueue", "true", "--id", "e", "--secret-env", "T=@latin", "--max-retries", "0");
    const worker = await q("worker", "--until-empty");
    expect(worker.stderr).toContain("(the secret variable TOKEN is not in the worker's environment)");
    expect(await q.json("show", "a")).toMatchObject({ state: "dead", attempts: 4, last_exit_code: 126 });
    expect((await q.json("show", "b")).last_error).toBe(
      "the secret variable T cannot be read from /nowhere/t: no such file or directory",
    );
    expect((await q.json("show", "c")).last_error).toContain("it is not a file");
    expect((await q.json("show", "d")).state).toBe("completed");
    expect((await q.json("show", "e")).last_error).toContain("it is not UTF-8 text");
    await q.ok("dlq", "retry", "a");
    await q.with({ env: { TOKEN: secret } }, "worker", "--until-empty");
    expect((await q.json("show", "a")).state).toBe("completed");
  });

  test("is not captured from the one who enqueues", async () => {
    await using q = queuectl({ QUEUECTL_CAPTURE_ENV: "TOKEN,LANG" });
    await q.with({ env: { TOKEN: secret } }, "enqueue", "true", "--id", "a", "--secret-env", "TOKEN");
    expect((await q.json("show", "a")).env.TOKEN).toBeUndefined();
    expect(written(q)).not.toContain(secret);
  });

  test("comes with a schedule's jobs and with JSON, where options say more", async () => {
    await using q = queuectl();
    const job = JSON.stringify({ command: "true", secret_env: ["A", "B=@/b"] });
    const id = await q.ok("enqueue", job, "--secret-env", "B", "--secret-env", "C=@/c");
    expect((await q.json("show", id)).secret_env).toEqual(["A", "B", "C=@/c"]);
    await q.ok("schedule", "add", "s", "@daily", "true", "--secret-env", "A");
    expect((await q.json("schedule", "show", "s")).job.secret_env).toEqual(["A"]);
  });
});

test.each([
  [
    ["--secret-env", `TOKEN=${secret}`],
    'secret_env cannot have "TOKEN=…": it is NAME, or NAME=@/path of a file',
  ],
  [["--secret-env", "1A"], 'secret_env cannot have "1A"'],
  [["--secret-env", ""], 'secret_env cannot have ""'],
  [["--secret-env", "QUEUECTL_JOB_ID"], "that is queuectl's own"],
  [["--secret-env", "A", "--secret-env", "A=@/x"], "A stands in secret_env twice"],
  [["--secret-env", "A", "--env", "A=1"], "A stands in env and in secret_env (what stands in env is stored)"],
])("wrong use is told without the value: %j", async (words, message) => {
  await using q = queuectl();
  const { status, stderr } = await q("enqueue", "true", ...words);
  expect(status).toBe(2);
  expect(stderr).toContain(message);
  expect(stderr).not.toContain(secret);
});

test("a file that went away takes nothing else with it", async () => {
  await using q = queuectl();
  const path = join(q.folder, "pass");
  writeFileSync(path, secret, { mode: 0o600 });
  await q.ok("enqueue", "true", "--id", "a", "--secret-env", "PASS=@pass", "--max-retries", "0");
  rmSync(path);
  await q.ok("worker", "--until-empty", "--quiet");
  expect(await q.json("show", "a")).toMatchObject({ state: "dead", attempts: 1 });
});
