import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { makeGate } from "../support/gate.ts";
import { noPostgres } from "../support/postgres-server.ts";
import { queuectl } from "../support/queuectl.ts";
import { shell } from "../support/shell.ts";
import { postgres } from "../support/temp-postgres.ts";
import { atTerminal } from "../support/terminal.ts";
import { waitUntil } from "../support/wait-until.ts";

setDefaultTimeout(180_000);

/** The lines of each job, by the label in front of them. */
function byJob(text: string): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const line of text.split("\n").slice(0, -1)) {
    const [, id, rest] = /^(\S+) *\| (.*)$/s.exec(line) ?? [];
    found[id ?? "?"] = [...(found[id ?? "?"] ?? []), rest ?? line];
  }
  return found;
}

describe.concurrent("logs of several jobs", () => {
  test("are shown one after another behind their ids, a last line without an end too", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "echo one; echo two", "--id", "a");
    await q.ok("enqueue", "printf 'half a line'", "--id", "longer");
    await q.ok("worker", "--until-empty");
    await q.ok("enqueue", "true", "--id", "new");
    const { status, stdout, stderr } = await q("logs", "longer", "a", "new", "a");
    expect(stdout).toBe("longer | half a line\na      | one\na      | two\n");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "job new has not run yet; it is pending\n" });
  });

  test("--lines shows the last ones of each, also where they are followed", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "seq 3", "--id", "a");
    await q.ok("enqueue", "seq 4; echo trouble >&2", "--split", "--id", "b");
    await q.ok("worker", "--until-empty");
    const last = { a: ["3"], b: ["4", "trouble"] };
    expect(byJob((await q("logs", "a", "b", "--lines", "1")).stdout)).toEqual(last);
    expect(byJob((await q("logs", "a", "b", "-f", "-n", "1")).stdout)).toEqual(last);
  });

  test("are byte for byte what was printed", async () => {
    await using q = queuectl();
    const bytes = Buffer.from(Array.from({ length: 2560 }, (_, index) => (index * 7) % 256));
    await Bun.write(join(q.folder, "bytes"), bytes);
    await q.ok("enqueue", "cat bytes; echo", "--id", "a");
    await q.ok("enqueue", "true", "--id", "b");
    await q.ok("worker", "--until-empty");
    for (const words of ["logs a b", "logs --follow a b"]) {
      const { stdout } = await shell(q, `queuectl ${words}`);
      const shown = `${stdout.toString("latin1")}`.replace(/^a \| /g, "").replace(/\na \| /g, "\n");
      expect(Buffer.from(shown, "latin1").equals(Buffer.concat([bytes, Buffer.from("\n")]))).toBe(true);
    }
  });

  test("--follow goes on through retries until all are settled, and keeps lines whole", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "backoff_base", "0.1");
    const many = `i=0; while [ $i -lt 300 ]; do printf "line $i "; echo end; i=$((i+1)); done`;
    for (const id of ["a", "b", "c"]) await q.ok("enqueue", many, "--id", id);
    const gate = makeGate(q);
    const again = `echo attempt $QUEUECTL_ATTEMPT; ${gate.command}; [ $QUEUECTL_ATTEMPT = 3 ]`;
    await q.ok("enqueue", again, "--id", "again");
    const follow = q.start("logs", "--follow", "a", "b", "c", "again");
    const worker = q.start("worker", "--until-empty", "--count", "4");
    await waitUntil("it follows", () => follow.stdout().includes("attempt 1"));
    gate.open();
    expect(await worker.exited).toBe(0);
    expect(await follow.exited).toBe(0);
    const lines = Array.from({ length: 300 }, (_, n) => `line ${n} end`);
    expect(byJob(follow.stdout())).toEqual({
      a: lines,
      b: lines,
      c: lines,
      again: ["attempt 1", "attempt 2", "attempt 3"],
    });
    expect(follow.stderr()).toBe("again: attempt 2\nagain: attempt 3\n");
  });

  test("--follow shows lines as they come, and leaves out what is over when a filter chooses", async () => {
    await using q = queuectl();
    const gate = makeGate(q);
    await q.ok("run", "echo over", "--id", "over", "--tag", "wav");
    await q.ok("enqueue", `echo begins; ${gate.command}; echo ends`, "--id", "runs", "--tag", "wav");
    await q.ok("enqueue", "echo later", "--id", "waits", "--tag", "wav");
    await q.ok("enqueue", "echo other", "--id", "other");
    q.start("worker");
    await gate.reached();
    const byTag = q.start("logs", "--follow", "--tag", "wav");
    const byQueue = q.start("logs", "--follow", "--queue", "default");
    const running = q.start("logs", "--follow", "--running");
    for (const one of [byTag, byQueue, running])
      await waitUntil("the first line is shown", () => / *\| begins\n$/.test(one.stdout()));
    gate.open();
    for (const one of [byTag, byQueue, running]) expect(await one.exited).toBe(0);
    expect(byJob(byTag.stdout())).toEqual({ runs: ["begins", "ends"], waits: ["later"] });
    expect(Object.keys(byJob(byQueue.stdout())).sort()).toEqual(["other", "runs", "waits"]);
    expect(byJob(running.stdout())).toEqual({ runs: ["begins", "ends"] });
  });

  test("--follow begins with what comes next of a job that waits for its retry", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "backoff_base", "1000");
    await q.ok("enqueue", "echo attempt $QUEUECTL_ATTEMPT; [ $QUEUECTL_ATTEMPT = 2 ]", "--id", "a");
    await q.ok("enqueue", "true", "--id", "b", "--delay", "1h");
    const worker = q.start("worker");
    await waitUntil("it failed", async () => (await q.json("show", "a")).state === "failed");
    const follow = q.start("logs", "--follow", "a", "b");
    await q.ok("retry", "a");
    await waitUntil("it is shown", () => follow.stdout() === "a | attempt 2\n");
    await q.ok("delete", "b");
    expect(await follow.exited).toBe(0);
    expect(follow.stderr()).toBe("job b was deleted\n");
    worker.kill("SIGTERM");
  });

  test("at a terminal the ids have colours and output cannot steer it", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "printf 'evil\\033[2J\\033]0;title\\007 text\\n'", "--id", "a");
    await q.ok("enqueue", "printf '\\033[31mred\\033[0m\\n'", "--id", "b");
    await q.ok("worker", "--until-empty");
    const terminal = atTerminal(q, ["logs", "--follow", "a", "b"]);
    expect(await terminal.exited()).toBe(0);
    const shown = terminal.shown();
    expect(shown).toContain("\u001b[36ma | \u001b[0mevil text\r\n");
    expect(shown).toContain("\u001b[33mb | \u001b[0m\u001b[38;5;1mred\u001b[0m\r\n");
    expect(shown).not.toContain("\u001b[2J");
    const plain = atTerminal(q, ["logs", "a", "b"], { env: { NO_COLOR: "1" } });
    await plain.exited();
    expect(plain.shown()).toContain("a | evil text\r\n");
  });

  test("ends when nobody reads it any more", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "yes", "--id", "a");
    await q.ok("enqueue", "sleep 600", "--id", "b");
    q.start("worker", "--count", "2");
    const { stdout } = await shell(q, "queuectl logs --follow a b | head -n 2");
    expect(stdout.toString()).toBe("a | y\na | y\n");
  });

  test("is refused where it is not clear what is meant", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--id", "a");
    const wrong: [string[], string][] = [
      [[], "logs of what?"],
      [["--follow"], "logs of what?"],
      [["a", "--follow", "--tag", "x"], "either ids, or --tag, --queue and --running, not both"],
      [["--tag", "x"], "are for --follow"],
      [["a", "a", "--follow", "--attempt", "1"], "--attempt with --follow is for one job"],
    ];
    for (const [words, says] of wrong) {
      const { status, stdout, stderr } = await q("logs", ...words);
      expect([words, status, stdout, stderr]).toEqual([words, 2, "", expect.stringContaining(says)]);
    }
    const none = await q("logs", "--follow", "--tag", "x");
    expect([none.status, none.stdout, none.stderr]).toEqual([
      0,
      "",
      "queuectl: there is no such job that waits or runs\n",
    ]);
    expect((await q("logs", "a", "no-such")).status).toBe(1);
  });
});

test.skipIf(noPostgres !== undefined)(
  "logs --follow of several jobs shows those of a queue on PostgreSQL",
  async () => {
    await using database = await postgres.makeDatabase();
    await using q = queuectl({ QUEUECTL_DATABASE_URL: database.environment.QUEUECTL_DATABASE_URL! });
    const gate = makeGate(q);
    await q.ok("enqueue", `echo one; ${gate.command}`, "--id", "a", "--tag", "t");
    await q.ok("enqueue", "echo two", "--id", "b", "--tag", "t");
    const follow = q.start("logs", "--follow", "--tag", "t");
    q.start("worker", "--until-empty");
    await waitUntil("it follows", () => follow.stdout().includes("one"));
    gate.open();
    expect(await follow.exited).toBe(0);
    expect(byJob(follow.stdout())).toEqual({ a: ["one"], b: ["two"] });
  },
);
