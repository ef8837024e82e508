// Completion as it happens in each shell.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Queuectl, queuectl } from "../support/queuectl.ts";
import { plainEnvironment } from "../support/shell.ts";
import { waitUntil } from "../support/wait-until.ts";

setDefaultTimeout(180_000);

/** What may stand at the end of a line, each by the shell's own means. */
type Complete = (q: Queuectl, line: string) => string[];

function lines(q: Queuectl, shell: string, script: string, words: readonly string[]): string[] {
  const { stdout, stderr } = Bun.spawnSync([shell, "-c", script, ...words], {
    cwd: q.folder,
    env: plainEnvironment(q),
  });
  expect(stderr.toString()).toBe("");
  return stdout.toString().split("\n").filter(Boolean);
}

const inBash: Complete = (q, line) => {
  const script = `eval "$(queuectl completions bash)"
    complete -p queuectl >/dev/null || exit
    COMP_LINE=$1 COMP_POINT=\${#1} _queuectl
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  // Outside of a completion there are no options of one to change.
  return lines(q, "bash", script.replace("eval", "compopt() { :; }; eval"), ["bash", line]);
};

const inFish: Complete = (q, line) => {
  const script = "queuectl completions fish | source; complete -C $argv[1]";
  return lines(q, "fish", script, [line]).map((answer) => answer.split("\t")[0]!);
};

const shells: readonly (readonly [string, Complete])[] = [
  ["bash", inBash],
  ["fish", inFish],
];

for (const [shell, complete] of shells) {
  describe.concurrent.skipIf(!Bun.which(shell))(`in ${shell}`, () => {
    test("commands, also of two words", async () => {
      await using q = queuectl();
      expect(complete(q, "queuectl st")).toEqual(["status"]);
      expect(complete(q, "queuectl ").length).toBeGreaterThan(15);
      expect(complete(q, "queuectl ")).not.toContain("complete");
      expect(complete(q, "queuectl dlq re")).toEqual(["retry", "retry-all"]);
      expect(complete(q, "queuectl worker st")).toEqual(["start", "stop"]);
    });

    test("options that the command has and that are not given yet, and their values", async () => {
      await using q = queuectl();
      expect(complete(q, "queuectl worker stop --w")).toEqual(["--wait"]);
      expect(complete(q, "queuectl worker --co")).toEqual(["--count"]);
      expect(complete(q, "queuectl list --state failed --st")).toEqual([]);
      expect(complete(q, "queuectl enqueue --tag a --tag b --ta")).toEqual(["--tag"]);
      expect(complete(q, "queuectl list --state c").toSorted()).toEqual(["cancelled", "completed"]);
      expect(complete(q, "queuectl prune --state dead,co")).toEqual(["dead,completed"]);
      expect(complete(q, "queuectl config set max_l")).toEqual(["max_lost"]);
      expect(complete(q, "queuectl completions z")).toEqual(["zsh"]);
    });

    test("ids of jobs that the command can do something to, whatever stands in them, and queues", async () => {
      await using q = queuectl();
      for (const id of ["a:b.1", "a:b-2", "other"])
        await q.ok("enqueue", "echo 'x\ty'", "--id", id, "--queue", "media");
      await q.ok("cancel", "a:b-2");
      const ofBash = (ids: string[]) => (shell === "bash" ? ids.map((id) => id.replace("a:", "")) : ids);
      expect(complete(q, "queuectl show a:").toSorted()).toEqual(ofBash(["a:b-2", "a:b.1"]));
      expect(complete(q, "queuectl cancel other a:b")).toEqual(ofBash(["a:b.1"]));
      expect(complete(q, "queuectl dlq retry ")).toEqual([]);
      expect(complete(q, "queuectl show ot")).toEqual(["other"]);
      expect(complete(q, "queuectl worker start --queue m")).toEqual(["media"]);
    });

    test("schedules where one is meant, and nothing where a new name is", async () => {
      await using q = queuectl();
      await q.ok("enqueue", "true", "--queue", "media");
      await q.ok("schedule", "add", "nightly", "@daily", "true");
      expect(complete(q, "queuectl schedule run ")).toEqual(["nightly"]);
      expect(complete(q, "queuectl schedule pause n")).toEqual(["nightly"]);
      for (const line of ["schedule add m", "alert add m", "web --allowed-host m"])
        expect(complete(q, `queuectl ${line}`)).toEqual([]);
      expect(complete(q, "queuectl schedule add x @daily true --queue ")).toEqual(["media"]);
    });

    test("labels of jobs that there are", async () => {
      await using q = queuectl();
      await q.ok("enqueue", "true", "--tag", "wav", "--tag", "night");
      await q.ok("enqueue", "true", "--tag", "wav", "--tag", "web");
      expect(complete(q, "queuectl wait --tag w").toSorted()).toEqual(["wav", "web"]);
      expect(complete(q, "queuectl list --tag=n")).toEqual([shell === "bash" ? "night" : "--tag=night"]);
    });

    test("files where a file is wanted, and behind --", async () => {
      await using q = queuectl();
      writeFileSync(join(q.folder, "two words.jsonl"), "");
      const [found] = complete(q, "queuectl enqueue --file two");
      expect(found?.replaceAll("\\", "")).toBe("two words.jsonl");
      expect(complete(q, "queuectl enqueue -- cat two")).toHaveLength(1);
    });

    test("nothing where it cannot know, and no home is made for it", async () => {
      await using q = queuectl();
      expect(complete(q, "queuectl show ")).toEqual([]);
      expect(complete(q, "queuectl nonsense --x ")).toEqual([]);
      expect(await Bun.file(join(q.home, "queue.db")).exists()).toBe(false);
    });
  });
}

test("bash leaves out of a word what it takes for words of its own", async () => {
  await using q = queuectl();
  expect(inBash(q, "queuectl list --state=f")).toEqual(["failed"]);
});

describe.skipIf(!Bun.which("zsh"))("in zsh", () => {
  test("the tab key completes a command, an option's value and an id", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--id", "a:b.1");
    let shown = "";
    const child = Bun.spawn(["zsh", "-f", "-i"], {
      cwd: q.folder,
      env: { ...plainEnvironment(q), TERM: "dumb", PS1: "> " },
      terminal: {
        cols: 200,
        rows: 40,
        data(_, bytes) {
          shown += Buffer.from(bytes).toString();
        },
      },
    });
    const type = (keys: string) => child.terminal!.write(keys);
    const shows = (text: string) =>
      waitUntil(`zsh shows ${text} (shown: ${shown})`, () => shown.includes(text));
    type('autoload -Uz compinit && compinit -u -D && eval "$(queuectl completions zsh)" && echo re""ady\n');
    await shows("ready");
    for (const [typed, line] of [
      ["queuectl stat\t", "status"],
      ["queuectl list --state comp\t", "completed"],
      ["queuectl show a\t", "a:b.1"],
    ] as const) {
      shown = "";
      type(typed);
      await waitUntil(`zsh completes ${line} (shown: ${shown})`, () =>
        shown.replaceAll("\\", "").includes(line),
      );
      type("\x15");
    }
    type("exit\n");
    await child.exited;
  });
});
