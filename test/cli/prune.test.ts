import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Queuectl, queuectl } from "../support/queuectl.ts";
import { atTerminal } from "../support/terminal.ts";
import { waitUntil } from "../support/wait-until.ts";

setDefaultTimeout(180_000);

/** Two completed jobs with output, a cancelled one, a dead letter, one that waits and one that waits for its retry. */
async function filled(): Promise<Queuectl> {
  const q = queuectl();
  await q.ok("config", "set", "backoff_base", "1000");
  await q.ok("enqueue", "echo one", "--id", "completed-1");
  await q.ok("enqueue", "echo two", "--id", "completed-2");
  await q.ok("enqueue", "echo bad; false", "--id", "dead", "--max-retries", "0");
  await q.ok("enqueue", "false", "--id", "failed");
  const worker = q.start("worker", "--quiet");
  await waitUntil("all ran", async () => {
    const { completed, dead, failed } = await q.json("status");
    return completed === 2 && dead === 1 && failed === 1;
  });
  worker.kill("SIGTERM");
  await worker.exited;
  await q.ok("enqueue", "true", "--id", "cancelled", "--delay", "1h");
  await q.ok("cancel", "cancelled");
  await q.ok("enqueue", "true", "--id", "pending", "--delay", "1h");
  return q;
}

const ids = async (q: Queuectl): Promise<string[]> =>
  (await q.json("list")).map(({ id }: { id: string }) => id).sort();

const logsOf = (q: Queuectl) =>
  readdirSync(join(q.home, "logs", "jobs"), { recursive: true }).filter((name) => `${name}`.endsWith(".log"));

describe.concurrent("prune", () => {
  test("removes completed and cancelled jobs that are old enough, with their logs, and no others", async () => {
    await using q = await filled();
    expect(logsOf(q)).toHaveLength(4);
    const young = await q("prune", "--older-than", "1h", "--yes");
    expect(young).toEqual({ status: 0, stdout: "", stderr: "nothing that old is to be removed\n" });
    const { status, stdout, stderr } = await q("prune", "--older-than", "0", "--yes");
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "3 jobs removed\n" });
    expect(await ids(q)).toEqual(["dead", "failed", "pending"]);
    expect(logsOf(q)).toHaveLength(2);
  });

  test("goes by the states that are named, dead letters only if they are", async () => {
    await using q = await filled();
    await q.ok("prune", "--older-than", "0", "--state", "dead", "--yes");
    expect(await ids(q)).toEqual(["cancelled", "completed-1", "completed-2", "failed", "pending"]);
    await q.ok("prune", "--older-than", "0", "--state", "cancelled, completed", "--yes");
    expect(await ids(q)).toEqual(["failed", "pending"]);
  });

  test("without an age goes by the settings of each state", async () => {
    await using q = await filled();
    expect(await q.json("prune", "--dry-run")).toEqual({ completed: 0, cancelled: 0 });
    await q.ok("config", "set", "retention", "0.001");
    await q.ok("config", "set", "retention_dead", "1h");
    expect(await q.json("prune", "--dry-run")).toEqual({ completed: 2, dead: 0, cancelled: 1 });
    await q.ok("prune", "--yes");
    expect(await ids(q)).toEqual(["dead", "failed", "pending"]);
    await q.ok("config", "set", "retention", "0");
    await q.ok("config", "set", "retention_dead", "0");
    expect(await q.json("prune", "--dry-run")).toEqual({});
    expect((await q("prune", "--state", "dead", "--yes")).stderr).toContain(
      "say what they must be older than, such as 7d",
    );
  });

  test("--dry-run says how many of each state would go, and removes nothing", async () => {
    await using q = await filled();
    const words = ["prune", "--older-than", "0", "--state", "completed,dead", "--dry-run"];
    expect(await q.ok(...words)).toBe("completed\t2\ndead\t1");
    expect(await q.json(...words)).toEqual({ completed: 2, dead: 1 });
    expect(await ids(q)).toHaveLength(6);
  });

  test("asks at a terminal, and wants --yes elsewhere", async () => {
    await using q = await filled();
    const { status, stderr } = await q("prune", "--older-than", "0");
    expect([status, stderr]).toEqual([2, expect.stringContaining("add --yes to mean it")]);
    const no = atTerminal(q, ["prune", "--older-than", "0"]);
    await no.shows("Remove 3 jobs (2 completed, 1 cancelled), with their history and output? [y/N]");
    no.type("n\r");
    expect(await no.exited()).toBe(1);
    expect(await ids(q)).toHaveLength(6);
    const yes = atTerminal(q, ["prune", "--older-than", "0"]);
    await yes.shows("[y/N]");
    yes.type("y\r");
    expect(await yes.exited()).toBe(0);
    expect(await ids(q)).toHaveLength(3);
  });

  test("refuses what it does not understand, and removes nothing", async () => {
    await using q = await filled();
    const wrong: [string[], string][] = [
      [["--state", "pending"], "jobs that are pending are not finished"],
      [["--state", "completed,processing"], "jobs that are processing are not finished"],
      [["--state", "complete"], 'no state "complete"'],
      [["--state", ""], 'no state ""'],
      [["--older-than", "soon"], "--older-than cannot be"],
      [["--older-than", "-1"], "--older-than"],
      [["--json"], "--json is for --dry-run"],
    ];
    for (const [words, says] of wrong) {
      const { status, stdout, stderr } = await q("prune", "--yes", ...words);
      expect([words, status, stdout, stderr]).toEqual([words, 2, "", expect.stringContaining(says)]);
    }
    expect(await ids(q)).toHaveLength(6);
  });
});

test("workers remove dead letters that are older than retention_dead, and leave the others", async () => {
  await using q = await filled();
  await q.ok("config", "set", "retention_dead", "0.001");
  q.start("worker", "--quiet");
  await waitUntil("it is gone", async () => !(await ids(q)).includes("dead"));
  expect(await ids(q)).toEqual(["cancelled", "completed-1", "completed-2", "failed", "pending"]);
});

test("workers remove what workers said that went longer ago than the retention, and leave the others", async () => {
  await using q = queuectl();
  await q.ok("worker", "--until-empty", "--quiet");
  const folder = join(q.home, "logs", "workers");
  const young = readdirSync(folder);
  expect(young).toHaveLength(1);
  const old = ["worker-0000ab.log", "worker-0000ab.log.1"].map((name) => join(folder, name));
  const aMonthAgo = Date.now() / 1000 - 31 * 86_400;
  for (const path of old) {
    writeFileSync(path, "stopped\n", { mode: 0o600 });
    utimesSync(path, aMonthAgo, aMonthAgo);
  }
  q.start("worker", "--quiet");
  await waitUntil("the old logs are gone", () => !old.some(existsSync));
  expect(young.every((name) => existsSync(join(folder, name)))).toBe(true);
});
