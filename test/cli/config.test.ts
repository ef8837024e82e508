import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { queuectl } from "../support/queuectl.ts";

setDefaultTimeout(180_000);

const defaults = {
  max_retries: 3,
  backoff_base: 2,
  backoff_max: 3600,
  backoff_jitter: 0,
  timeout: 3600,
  poll_interval: 1,
  priority: 1,
  kill_grace: 5,
  max_lost: 3,
  log_limit: 104_857_600,
  retention: 2_592_000,
  retention_dead: 0,
  capture_env: ["PATH", "LANG", "LC_ALL", "VIRTUAL_ENV"],
};

describe.concurrent("config", () => {
  test("show has every setting with its default", async () => {
    await using q = queuectl();
    expect(await q.json("config", "show")).toMatchObject(defaults);
    const names = (await q.ok("config", "show")).split("\n").map((row) => row.split("\t")[0]);
    expect(names).toEqual(expect.arrayContaining(Object.keys(defaults)));
  });

  test("get prints the bare value, which set takes again", async () => {
    await using q = queuectl();
    for (const [key, value] of Object.entries(defaults)) {
      const printed = await q.ok("config", "get", key);
      expect(printed).toBe(String(value));
      await q.ok("config", "set", key, printed);
      expect(await q.ok("config", "get", key)).toBe(printed);
      expect(await q.json("config", "get", key)).toEqual(value);
    }
  });

  test("a value is kept until unset brings the default back", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "max_retries", "9");
    expect(await q.ok("config", "get", "max_retries")).toBe("9");
    await q.ok("config", "unset", "max-retries");
    expect(await q.ok("config", "get", "max_retries")).toBe("3");
  });

  test("hyphens, underscores and earlier names are the same keys", async () => {
    await using q = queuectl();
    const names = [
      ["max-retries", "max_retries", "max_retries_default", "max-retries-default"],
      ["backoff-base", "backoff_base", "base_backoff", "base-backoff"],
      ["poll-interval", "poll_interval"],
    ];
    for (const same of names) {
      for (const [index, name] of same.entries()) {
        await q.ok("config", "set", name, String(index + 1));
        for (const other of same) expect(await q.ok("config", "get", other)).toBe(String(index + 1));
      }
    }
  });

  test("durations and sizes may be typed as people write them, fractions too", async () => {
    await using q = queuectl();
    for (const [key, typed, value] of [
      ["timeout", "1h30m", "5400"],
      ["retention", "7d", "604800"],
      ["kill_grace", "500ms", "0.5"],
      ["log_limit", "2MiB", "2097152"],
      ["backoff_base", "1.5", "1.5"],
      ["backoff_jitter", "0.25", "0.25"],
    ] as const) {
      await q.ok("config", "set", key, typed);
      expect(await q.ok("config", "get", key)).toBe(value);
    }
  });

  test("the environment lies over what is set, and show says so", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "max_retries", "4");
    const env = { QUEUECTL_MAX_RETRIES: "8" };
    expect((await q.with({ env }, "config", "get", "max_retries")).stdout).toBe("8\n");
    const row = (await q.with({ env }, "config", "show")).stdout
      .split("\n")
      .find((line) => line.startsWith("max_retries"));
    expect(row).toContain("environment");
    const set = await q.with({ env }, "config", "set", "max_retries", "5");
    expect(set.status).toBe(0);
    expect(set.stderr).toContain("QUEUECTL_MAX_RETRIES");
    expect(await q.ok("config", "get", "max_retries")).toBe("5");
  });

  test("one that is misspelled is told of by whatever command, and one of somebody else's by none", async () => {
    await using q = queuectl();
    const said = async (env: Record<string, string>, ...words: string[]) =>
      (await q.with({ env }, ...words)).stderr;
    const hint =
      "queuectl: QUEUECTL_MAX_RETRIS in the environment is no setting (did you mean QUEUECTL_MAX_RETRIES?)\n";
    expect(await said({ QUEUECTL_MAX_RETRIS: "0" }, "enqueue", "true")).toBe(hint);
    expect(await said({ QUEUECTL_MAX_RETRIS: "0" }, "config", "show")).toBe(hint);
    expect(await said({ QUEUECTL_DATABASE: "postgres://x" }, "list")).toContain(
      "mean QUEUECTL_DATABASE_URL?",
    );
    expect(await said({ QUEUECTL_OWNERSHIP: "me", QUEUECTL_JOB_ID: "x" }, "enqueue", "true")).toBe("");
  });

  test("what a job is told about itself is no setting", async () => {
    await using q = queuectl();
    const env = { QUEUECTL_JOB_ID: "x", QUEUECTL_ATTEMPT: "7", QUEUECTL_QUEUE: "mail" };
    const { stdout } = await q.with({ env }, "enqueue", "true", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ queue: "default", attempts: 0 });
  });
});
