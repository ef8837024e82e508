import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { makeGate } from "../support/gate.ts";
import { type Queuectl, queuectl } from "../support/queuectl.ts";
import { atTerminal } from "../support/terminal.ts";

setDefaultTimeout(180_000);

/** At a terminal, with a sed script for an editor. */
async function editedBy(q: Queuectl, script: string, ...words: string[]) {
  const terminal = atTerminal(q, ["edit", ...words], {
    env: { EDITOR: `sed -i -e '${script}'`, VISUAL: "" },
  });
  return { status: await terminal.exited(), shown: terminal.shown() };
}

/** What was kept of a refused text, taken away. */
function keptText(shown: string): string {
  const [file] = /\/\S*queuectl-edit-[^/\s]*\/\S*\.json/.exec(shown)!;
  const text = existsSync(file!) ? readFileSync(file!, "utf8") : "";
  rmSync(dirname(file!), { recursive: true });
  return text;
}

describe.concurrent("edit", () => {
  test("of several at one moment leaves what each of them says", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--id", "job", "--delay", "1h");
    const names = ["A", "B", "C", "D", "E", "F"];
    await Promise.all(names.map((name) => q.ok("edit", "job", "--env", `${name}=set`)));
    expect(await q.json("show", "job")).toMatchObject({
      env: Object.fromEntries(names.map((name) => [name, "set"])),
    });
  });

  test("changes what its options say, and nothing else", async () => {
    await using q = queuectl();
    const before = await q.json("enqueue", "true", "--id", "job", "--tag", "a", "--env", "A=1");
    const words = ["--priority", "5", "--queue", "q", "--max-retries", "0", "--timeout", "9", "--tag", "b"];
    const more = [
      "--tag",
      "b",
      "--env",
      "B=2",
      "--cwd",
      "sub",
      "--dead-on",
      "2",
      "--json",
      "--",
      "echo",
      "a b",
    ];
    const edited = JSON.parse(await q.ok("edit", "job", ...words, ...more));
    expect(edited).toEqual({
      ...before,
      command: "echo 'a b'",
      priority: 5,
      queue: "q",
      max_retries: 0,
      timeout: 9,
      tags: ["b"],
      env: { ...before.env, A: "1", B: "2" },
      cwd: `${q.folder}/sub`,
      dead_on: "2",
      updated_at: edited.updated_at,
    });
    expect(await q.json("edit", "job", "--key", "nas")).toMatchObject({ key: "nas" });
    expect(await q.json("edit", "job", "--clear-key")).toMatchObject({ key: null });
    const again = await q.json("edit", "job", "--clear-tags", "--command", "echo new", "--cwd", q.folder);
    expect(again).toMatchObject({ tags: [], dead_on: "2" });
    await q.ok("worker", "--until-empty");
    expect(await q.ok("logs", "job")).toBe("new");
  });

  test("of its moment: later, and now", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--id", "job");
    await q.ok("edit", "job", "--delay", "1h");
    expect(Date.parse((await q.json("show", "job")).next_run_at)).toBeGreaterThan(Date.now() + 3_000_000);
    await q.ok("edit", "job", "--run-at", "2020-01-01T00:00:00Z");
    await q.ok("worker", "--until-empty");
    expect((await q.json("show", "job")).state).toBe("completed");
  });

  test("bad values change nothing, and say so in one line", async () => {
    await using q = queuectl();
    const before = await q.json("enqueue", "true", "--id", "job");
    for (const words of [
      ["--priority", "6"],
      ["--queue", "a b"],
      ["--command", " "],
      ["--tag", "a b"],
      ["--tag", "a", "--clear-tags"],
      ["--key", "a", "--clear-key"],
      ["--delay", "1h", "--run-at", "+1h"],
      ["--env", "1=2"],
      [],
    ]) {
      const { status, stdout, stderr } = await q("edit", "job", ...words);
      expect([words, status, stdout, stderr.split("\n").length]).toEqual([words, 2, "", 2]);
    }
    expect(await q.json("show", "job")).toMatchObject(before);
  });

  test("a job that runs, or is settled, is refused", async () => {
    await using q = queuectl();
    const gate = makeGate(q);
    await q.ok("enqueue", gate.command, "--id", "job");
    q.start("worker");
    await gate.reached();
    expect(await q("edit", "job", "--priority", "5")).toMatchObject({
      status: 1,
      stderr: "queuectl: job job is processing and cannot be edited (queuectl cancel job stops it first)\n",
    });
    gate.open();
    await q.ok("wait", "job");
    expect((await q("edit", "job", "--priority", "5")).status).toBe(1);
  });

  test("without options at a terminal the job's JSON is changed in an editor", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "echo old", "--id", "job", "--queue", "q");
    const script = 's/echo old/echo new/; s/"priority": 1/"priority": 4/';
    expect(await editedBy(q, script, "job")).toMatchObject({
      status: 0,
      shown: expect.stringContaining("job job has another command, priority"),
    });
    expect(await q.json("show", "job")).toMatchObject({ command: "echo new", priority: 4, queue: "q" });
    expect((await editedBy(q, "", "job")).shown).toContain("stays as it is");
  });

  test("a text that is refused changes nothing and is kept, and a key that cannot be edited is named", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--id", "job");
    const script = 's/{$/{"state": "dead",/; s/"priority": 1/"priority": 4/';
    const { status, shown } = await editedBy(q, script, "job");
    expect([status, keptText(shown)]).toEqual([2, expect.stringContaining('"dead"')]);
    expect(shown).toContain('"state" cannot be edited');
    expect((await q.json("show", "job")).priority).toBe(1);
    const broken = await editedBy(q, "s/{/x/", "job");
    expect(keptText(broken.shown)).toContain("x");
    expect(broken.shown).toContain("broken JSON");
    const latin = await editedBy(q, 's/"command": "true"/"command": "\\xe9"/', "job");
    expect(latin.shown).toContain("it is not UTF-8 text");
    keptText(latin.shown);
    expect((await q.json("show", "job")).command).toBe("true");
  });

  test("an editor that fails changes nothing, and leaves nothing where nothing was written", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--id", "job");
    const { status, shown } = await editedBy(q, `' "$1"; exit 3; echo '`, "job");
    expect([status, shown]).toEqual([
      1,
      expect.stringContaining("ended with exit status 3 (nothing is changed)"),
    ]);
  });

  test("a job that was run meanwhile keeps its command", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--id", "job");
    const editor = `s/"true"/"false"/' "$1"; queuectl worker --until-empty; sh -c 'exit 0`;
    const { status, shown } = await editedBy(q, editor, "job");
    expect(shown).toContain("job job is completed and cannot be edited");
    expect(status).toBe(1);
    expect(keptText(shown)).toContain("false");
    expect((await q.json("show", "job")).command).toBe("true");
  });

  test("what somebody else changed while the editor was open is not undone, and the text is kept", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--id", "job");
    const editor = `s/"true"/"false"/' "$1"; queuectl edit job --priority 5; sh -c 'exit 0`;
    const { status, shown } = await editedBy(q, editor, "job");
    expect(shown).toContain("job job was changed meanwhile (nothing is changed; your text is in ");
    expect([status, keptText(shown)]).toEqual([1, expect.stringContaining("false")]);
    expect(await q.json("show", "job")).toMatchObject({ command: "true", priority: 5 });
  });
});
