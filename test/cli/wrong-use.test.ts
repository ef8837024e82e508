// Wrong use and what answers it: the right exit status, one plain line on stderr, nothing on stdout, and nothing changed.

import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { program } from "../support/program.ts";
import { type Queuectl, queuectl, type Result } from "../support/queuectl.ts";
import { shell } from "../support/shell.ts";

setDefaultTimeout(180_000);

let q: Queuectl;
let reader: Database;
let before: Record<string, unknown>;

/** One queue for all: what each of them must not change. */
beforeAll(async () => {
  q = queuectl();
  await q.ok("enqueue", "true", "--id", "waits-1", "--delay", "1h");
  await q.ok("enqueue", "true", "--id", "waits-2", "--delay", "1h");
  await q.ok("run", "true", "--id", "finished");
  await q("run", "false", "--id", "died", "--max-retries", "0");
  reader = new Database(join(q.home, "queue.db"), { readonly: true });
  before = everything();
});
afterAll(async () => {
  reader.close();
  await q[Symbol.asyncDispose]();
});

/** Every row of the queue, read without another process. */
function everything(): Record<string, unknown> {
  const rows = (table: string) => reader.query(`select * from "${table}"`).all();
  const tables = reader
    .query<{ name: string }, []>("select name from sqlite_schema where type = 'table'")
    .all();
  return Object.fromEntries(tables.map(({ name }) => [name, rows(name)]));
}

interface Refused {
  readonly status: 1 | 2;
  /** What the line on stderr must contain. */
  readonly says: readonly (string | RegExp)[];
}

function expectRefusal({ status, stdout, stderr }: Result, { status: wanted, says }: Refused): void {
  expect(stderr).toMatch(/^queuectl: [^\n]+\n$/);
  for (const text of says) {
    if (typeof text === "string") expect(stderr).toContain(text);
    else expect(stderr).toMatch(text);
  }
  expect({ status, stdout }).toEqual({ status: wanted, stdout: "" });
}

type Case = readonly [behaviour: string, words: readonly string[], refused: Refused];

function cases(list: readonly Case[]): void {
  for (const [behaviour, words, refused] of list) {
    test(behaviour, async () => {
      expectRefusal(await q(...words), refused);
      expect(everything()).toEqual(before);
    });
  }
}

describe.concurrent("words", () => {
  cases([
    [
      "an unknown command is answered with the nearest",
      ["enqeue", "true"],
      { status: 2, says: ['"enqeue"', "enqueue"] },
    ],
    [
      "a command like no other is answered with the way to help",
      ["zzzzzzz"],
      { status: 2, says: ["--help"] },
    ],
    [
      "an unknown second word is answered with the nearest",
      ["worker", "strat"],
      { status: 2, says: ["worker strat", "start"] },
    ],
    ["service needs a second word", ["service"], { status: 2, says: ["install", "uninstall"] }],
    [
      "an unknown option is answered with the nearest",
      ["list", "--sate", "dead"],
      { status: 2, says: ["--sate", "--state"] },
    ],
    [
      "an unknown option of enqueue stores nothing",
      ["enqueue", "true", "--priorty", "3"],
      { status: 2, says: ["--priorty", "--priority"] },
    ],
    [
      "an empty search, as of a variable that is not set, does not retry every dead letter",
      ["dlq", "retry", "--search", "", "--yes"],
      { status: 2, says: ["--search needs a text", "--all"] },
    ],
    [
      "an empty folder is not this one",
      ["enqueue", "true", "--cwd", ""],
      { status: 2, says: ['cwd must be an absolute path, not ""'] },
    ],
    [
      "nor is that of a JSON job",
      ["enqueue", '{"command":"true","cwd":""}'],
      { status: 2, says: ['cwd must be an absolute path, not ""'] },
    ],
    [
      "nor that of run",
      ["run", "true", "--cwd", ""],
      { status: 2, says: ['cwd must be an absolute path, not ""'] },
    ],
    [
      "nor that of edit",
      ["edit", "waits-1", "--cwd", ""],
      { status: 2, says: ['cwd must be an absolute path, not ""'] },
    ],
    [
      "an empty database, as of a variable that is not set, is not the one of this machine",
      ["enqueue", "true", "--database", ""],
      { status: 2, says: ["--database needs a URL", "postgres://"] },
    ],
    [
      "a secret from a file without a name is refused when it is said",
      ["enqueue", "true", "--secret-env", "TOKEN=@"],
      { status: 2, says: ["NAME=@/path of a file"] },
    ],
    [
      "a backup needs a name that is not empty",
      ["backup", ""],
      { status: 2, says: ["the file's name is empty"] },
    ],
    ["an unknown short option is refused", ["list", "-x"], { status: 2, says: ["-x"] }],
    ["a missing id is named", ["show"], { status: 2, says: ["<id>"] }],
    ["missing ids are named", ["cancel"], { status: 2, says: ["id"] }],
    ["a missing value of a setting is named", ["config", "set", "timeout"], { status: 2, says: ["<value>"] }],
    ["enqueue of nothing asks for a command", ["enqueue"], { status: 2, says: ["Say a command"] }],
    ["run of nothing asks for a command", ["run"], { status: 2, says: ["command"] }],
    ["a word too many is named", ["status", "now"], { status: 2, says: ['"now"'] }],
    [
      "a second id where one is asked for is named",
      ["show", "finished", "waits-1"],
      { status: 2, says: ['"waits-1"'] },
    ],
    [
      "a command that is not quoted is refused with the ways to say it",
      ["enqueue", "echo", "hello"],
      { status: 2, says: ["quote it, or put -- before it"] },
    ],
    [
      "two commands at once are refused",
      ["enqueue", "true", "--command", "false"],
      { status: 2, says: ["more than one command"] },
    ],
    [
      "a command besides a file is refused",
      ["enqueue", "true", "--file", "jobs.json"],
      { status: 2, says: ["--file"] },
    ],
    ["an option without its value is refused", ["list", "--state"], { status: 2, says: ["--state"] }],
    [
      "an option with another one in place of its value is refused",
      ["list", "--state", "--json"],
      { status: 2, says: ["--state"] },
    ],
    [
      "a value for an option that takes none is refused",
      ["list", "--json=yes"],
      { status: 2, says: ["--json"] },
    ],
    [
      "an option given twice is refused",
      ["enqueue", "true", "--priority", "1", "--priority", "2"],
      { status: 2, says: ["--priority"] },
    ],
    [
      "two ways to say when are refused",
      ["enqueue", "true", "--delay", "1h", "--run-at", "+1h"],
      { status: 2, says: ["--run-at", "--delay"] },
    ],
    [
      "a state that does not exist is answered with the states",
      ["list", "--state", "done"],
      { status: 2, says: ['"done"', "pending", "cancelled"] },
    ],
    [
      "a state nearly right is answered with the nearest",
      ["list", "--state", "complete"],
      { status: 2, says: ["did you mean completed?"] },
    ],
    ["a limit that is no number is refused", ["list", "--limit", "many"], { status: 2, says: ['"many"'] }],
    ["no worker at all is refused", ["worker", "--count", "0"], { status: 2, says: ['"0"', "1"] }],
    ["half a worker is refused", ["worker", "--count", "1.5"], { status: 2, says: ['"1.5"'] }],
    [
      "polling without a pause is refused with the range",
      ["worker", "--poll", "0.01"],
      { status: 2, says: ["--poll", "0.05", "1h"] },
    ],
    [
      "purging everything unasked wants --yes where nobody can be asked",
      ["dlq", "purge"],
      { status: 2, says: ["--yes"] },
    ],
  ]);
});

describe.concurrent("ids", () => {
  const rule = "1 to 64 of A-Z a-z 0-9 . _ : -";
  cases([
    [
      "an id that begins with a hyphen is refused with the rule",
      ["enqueue", "true", "--id=-5"],
      { status: 2, says: ['"-5"', rule] },
    ],
    [
      "an id with a slash is refused",
      ["enqueue", "true", "--id", "a/b"],
      { status: 2, says: ['"a/b"', rule] },
    ],
    [
      "an id with blanks is refused",
      ["enqueue", "true", "--id", "a b"],
      { status: 2, says: ['"a b"', rule] },
    ],
    ["an empty id is refused", ["enqueue", "true", "--id", ""], { status: 2, says: [rule] }],
    [
      "an id of 10 KB is refused without repeating it",
      ["enqueue", "true", "--id", "x".repeat(10_240)],
      { status: 2, says: ["10240 characters", rule] },
    ],
    [
      "an id with a line end is refused in one line",
      ["enqueue", "true", "--id", "a\nb"],
      { status: 2, says: [rule] },
    ],
    [
      "an id in JSON obeys the same rule",
      ["enqueue", '{"command":"true","id":"../x"}'],
      { status: 2, says: ['"../x"', rule] },
    ],
    [
      "an id that is taken changes nothing",
      ["enqueue", "false", "--id", "finished"],
      { status: 1, says: ["finished"] },
    ],
    [
      "an id that is taken changes nothing in JSON either",
      ["enqueue", '{"id":"waits-1","command":"false"}'],
      { status: 1, says: ["waits-1"] },
    ],
    [
      "an unknown id is said to be unknown",
      ["show", "nothing-like-it"],
      { status: 1, says: ["there is no job nothing-like-it"] },
    ],
    [
      "an ambiguous prefix is answered with what it could be",
      ["show", "waits"],
      { status: 1, says: ["waits-1", "waits-2"] },
    ],
    [
      "one unknown id among others cancels none of them",
      ["cancel", "waits-1", "nothing-like-it"],
      { status: 1, says: ["nothing-like-it"] },
    ],
    ["an ambiguous prefix deletes nothing", ["delete", "waits"], { status: 1, says: ["waits-1", "waits-2"] }],
    [
      "an unknown id with a line end is answered in one line",
      ["show", "a\nb"],
      { status: 1, says: ["there is no job"] },
    ],
    [
      "an unknown worker with a line end is answered in one line",
      ["worker", "logs", "a\nb"],
      { status: 1, says: ["there is no worker"] },
    ],
    [
      "a job that did not die is no dead letter",
      ["dlq", "retry", "finished"],
      { status: 1, says: ["finished", "completed"] },
    ],
    [
      "a job that did not die cannot be deleted as one",
      ["dlq", "delete", "waits-1"],
      { status: 1, says: ["waits-1", "pending"] },
    ],
    [
      "a finished job cannot be cancelled",
      ["cancel", "finished"],
      { status: 1, says: ["finished", "completed"] },
    ],
    [
      "an attempt that was not made cannot be shown",
      ["logs", "finished", "--attempt", "7"],
      { status: 1, says: ["7"] },
    ],
    [
      "a worker that is not there cannot be stopped",
      ["worker", "stop", "--id", "worker-zzz"],
      { status: 1, says: ["worker-zzz"] },
    ],
  ]);
});

test("an unknown id of 10 KB is answered shortly", async () => {
  const result = await q("show", "x".repeat(10_240));
  expectRefusal(result, { status: 1, says: ["there is no job"] });
  expect(result.stderr.length).toBeLessThan(500);
});

describe.concurrent("values", () => {
  const enqueue = (...options: string[]) => ["enqueue", "true", ...options];
  const json = (job: Record<string, unknown>) => ["enqueue", JSON.stringify({ command: "true", ...job })];
  cases([
    [
      "a negative number of retries is refused",
      enqueue("--max-retries", "-1"),
      { status: 2, says: ["-1", "0", "1000"] },
    ],
    ["half a retry is refused", enqueue("--max-retries", "1.5"), { status: 2, says: ["1.5"] }],
    [
      "more retries than allowed are refused",
      enqueue("--max-retries", "1001"),
      { status: 2, says: ["1001", "1000"] },
    ],
    ["retries in words are refused", enqueue("--max-retries", "three"), { status: 2, says: ["three"] }],
    ["priority 0 is refused", enqueue("--priority", "0"), { status: 2, says: ["1", "5"] }],
    ["priority 6 is refused", enqueue("--priority", "6"), { status: 2, says: ["6", "1", "5"] }],
    [
      "a timeout that is no duration is refused",
      enqueue("--timeout", "abc"),
      { status: 2, says: ['"abc"', "90s"] },
    ],
    ["a negative timeout is refused", enqueue("--timeout", "-1"), { status: 2, says: ["-1"] }],
    ["a delay that is no duration is refused", enqueue("--delay", "soon"), { status: 2, says: ['"soon"'] }],
    [
      "a time that is nonsense is refused",
      enqueue("--run-at", "tomorrow-ish"),
      { status: 2, says: ['"tomorrow-ish"', "ISO 8601"] },
    ],
    [
      "a day that does not exist is refused",
      enqueue("--run-at", "2026-02-30T00:00:00Z"),
      { status: 2, says: ["2026-02-30"] },
    ],
    ["a queue that is no name is refused", enqueue("--queue", "a/b"), { status: 2, says: ["a/b"] }],
    ["a tag with blanks is refused", enqueue("--tag", "a b"), { status: 2, says: ["a b"] }],
    [
      "a variable that is not set here is refused",
      enqueue("--env", "NO_SUCH_VARIABLE_HERE"),
      { status: 2, says: ["NO_SUCH_VARIABLE_HERE"] },
    ],
    ["a variable without a name is refused", enqueue("--env", "=x"), { status: 2, says: [/variable/] }],
    ["an empty command is refused", ["enqueue", ""], { status: 2, says: ["empty"] }],
    ["a command of blanks is refused", ["enqueue", " \n "], { status: 2, says: ["empty"] }],
    ["a NUL byte in a command is refused", json({ command: "echo \0" }), { status: 2, says: ["NUL"] }],
    [
      "broken JSON is answered with the place",
      ["enqueue", '{"command":'],
      { status: 2, says: ["JSON", "line 1", "column 12"] },
    ],
    [
      "JSON with something behind it is refused",
      ["enqueue", '{"command":"true"} x'],
      { status: 2, says: ["JSON"] },
    ],
    ["an unknown key is named", json({ comand: "x" }), { status: 2, says: ['"comand"', "command"] }],
    ["a job without a command is refused", ["enqueue", "{}"], { status: 2, says: ["command"] }],
    [
      "negative retries in JSON are refused",
      json({ max_retries: -1 }),
      { status: 2, says: ["max_retries", "-1", "0", "1000"] },
    ],
    [
      "retries as text in JSON are refused",
      json({ max_retries: "3" }),
      { status: 2, says: ["max_retries", '"3"'] },
    ],
    [
      "half a retry in JSON is refused",
      json({ max_retries: 1.5 }),
      { status: 2, says: ["max_retries", "1.5"] },
    ],
    [
      "priority 0 in JSON is refused",
      json({ priority: 0 }),
      { status: 2, says: ["priority", "0", "1", "5"] },
    ],
    ["priority 6 in JSON is refused", json({ priority: 6 }), { status: 2, says: ["priority", "6"] }],
    [
      "a timeout as text in JSON is refused",
      json({ timeout: "abc" }),
      { status: 2, says: ["timeout", '"abc"'] },
    ],
    [
      "a time that is nonsense in JSON is refused",
      json({ run_at: "nonsense" }),
      { status: 2, says: ["run_at", '"nonsense"'] },
    ],
    [
      "a time without an offset in JSON is refused",
      json({ run_at: "2099-01-01T00:00:00" }),
      { status: 2, says: ["run_at", "offset"] },
    ],
    [
      "a command that is no text in JSON is refused",
      ["enqueue", '{"command":["true"]}'],
      { status: 2, says: ["command"] },
    ],
    ["a variable that is no text in JSON is refused", json({ env: { A: 1 } }), { status: 2, says: ["env"] }],
  ]);
});

describe.concurrent("settings", () => {
  cases([
    [
      "an unknown setting is answered with the settings",
      ["config", "set", "retries", "3"],
      { status: 2, says: ['"retries"', "max_retries", "backoff_base"] },
    ],
    [
      "a setting nearly right is answered with the nearest",
      ["config", "get", "time-out"],
      { status: 2, says: ["did you mean timeout?"] },
    ],
    [
      "a value out of range is answered with the range",
      ["config", "set", "max-retries", "1001"],
      { status: 2, says: ["max_retries", "1001", "0", "1000"] },
    ],
    [
      "a negative value is answered with the range",
      ["config", "set", "backoff_base", "-1"],
      { status: 2, says: ["backoff_base", "-1", "1000"] },
    ],
    [
      "half a retry is refused as a setting",
      ["config", "set", "max_retries", "2.5"],
      { status: 2, says: ["2.5"] },
    ],
    [
      "a word for a number is refused",
      ["config", "set", "backoff_base", "two"],
      { status: 2, says: ['"two"'] },
    ],
    ["a word for a duration is refused", ["config", "set", "timeout", "abc"], { status: 2, says: ['"abc"'] }],
    [
      "no pause between polls is refused",
      ["config", "set", "poll_interval", "0"],
      { status: 2, says: ["0.05", "1h"] },
    ],
    [
      "a priority out of range is refused",
      ["config", "set", "priority", "6"],
      { status: 2, says: ["1", "5"] },
    ],
    ["an empty value is refused", ["config", "set", "max_retries", ""], { status: 2, says: ["max_retries"] }],
  ]);

  test("a value in the environment that cannot be is named with its variable", async () => {
    const result = await q.with({ env: { QUEUECTL_MAX_RETRIES: "many" } }, "enqueue", "true");
    expectRefusal(result, { status: 2, says: ["QUEUECTL_MAX_RETRIES", "many"] });
    expect(everything()).toEqual(before);
  });
});

describe.concurrent("files of jobs", () => {
  const good = '{"command":"true"}';
  const file: [behaviour: string, content: string | Uint8Array, refused: Refused][] = [
    [
      "a broken line is named and nothing is stored",
      `${good}\n${good}\n{"command":\n${good}\n`,
      { status: 2, says: ["line 3"] },
    ],
    ["a broken first line is named", `{"command":\n${good}\n${good}\n`, { status: 2, says: ["line 1"] }],
    [
      "a line with a bad value is named",
      `${good}\n{"command":"true","priority":9}\n`,
      { status: 2, says: ["line 2", "priority", "9"] },
    ],
    ["a bad job of an array is named", `[${good},{"command":""}]`, { status: 2, says: ["job 2", "empty"] }],
    ["a broken array is answered with the place", `[${good},`, { status: 2, says: ["JSON", "line 1"] }],
    [
      "an id that is taken stores none of the others",
      `${good}\n{"command":"true","id":"finished"}\n`,
      { status: 1, says: ["finished"] },
    ],
    [
      "an id twice in one file stores none",
      '{"command":"true","id":"twice"}\n{"command":"true","id":"twice"}\n',
      { status: 1, says: ["twice"] },
    ],
    ["a file of numbers is refused", "17\n", { status: 2, says: ["job"] }],
    [
      "a file that is not UTF-8 is refused",
      Buffer.from([...Buffer.from('{"command":"'), 0xff, 0xfe]),
      { status: 2, says: ["UTF-8"] },
    ],
    [
      "a command longer than a process can be given is refused with the limit",
      JSON.stringify({ command: `: ${"x".repeat(200_000)}` }),
      { status: 2, says: ["200002", "131071"] },
    ],
  ];
  for (const [index, [behaviour, content, refused]] of file.entries()) {
    test(behaviour, async () => {
      const path = join(q.folder, `jobs-${index}.json`);
      writeFileSync(path, content);
      expectRefusal(await q("enqueue", "--file", path), refused);
      expectRefusal(await q.with({ stdin: content }, "enqueue", "--file", "-"), refused);
      expect(everything()).toEqual(before);
    });
  }

  cases([
    [
      "a file that does not exist is named",
      ["enqueue", "--file", "no-such-file.json"],
      { status: 1, says: ["no-such-file.json"] },
    ],
    ["a folder is no file", ["enqueue", "--file", "."], { status: 1, says: ["folder"] }],
  ]);
});

describe.concurrent("a home that cannot be used", () => {
  const commands = [["enqueue", "true"], ["list", "--json"], ["status"], ["worker", "--until-empty"]];
  const homes = () => queuectl();

  test("a folder that may not be written is named", async () => {
    await using other = homes();
    const home = join(other.folder, "closed", "home");
    mkdirSync(join(other.folder, "closed"));
    chmodSync(other.folder, 0o755);
    chmodSync(join(other.folder, "closed"), 0o555);
    for (const words of commands) {
      expectRefusal(await asOrdinaryUser(other, home, words), { status: 1, says: [home, "QUEUECTL_HOME"] });
    }
  });

  test("a home that exists and may not be written is named", async () => {
    await using other = homes();
    chmodSync(other.folder, 0o755);
    const home = join(other.folder, "closed");
    mkdirSync(home, { mode: 0o555 });
    expectRefusal(await asOrdinaryUser(other, home, ["enqueue", "true"]), { status: 1, says: [home] });
  });

  test("a database that may not be written is named", async () => {
    await using other = homes();
    await other.ok("enqueue", "true");
    for (const path of [other.folder, other.home]) chmodSync(path, 0o755);
    chmodSync(join(other.home, "queue.db"), 0o444);
    const result = await asOrdinaryUser(other, other.home, ["enqueue", "true"]);
    expectRefusal(result, { status: 1, says: [join(other.home, "queue.db")] });
    expect(await other.json("list")).toHaveLength(1);
  });

  test("a file in place of the home is named", async () => {
    await using other = homes();
    writeFileSync(other.home, "mine");
    for (const words of commands) expectRefusal(await other(...words), { status: 1, says: [other.home] });
    expect(readFileSync(other.home, "utf8")).toBe("mine");
  });

  test("a database that is a text file is refused and left as it is", async () => {
    await using other = homes();
    mkdirSync(other.home);
    const path = join(other.home, "queue.db");
    const text = "my shopping list\n".repeat(1000);
    writeFileSync(path, text);
    for (const words of commands) {
      expectRefusal(await other(...words), { status: 1, says: [path, "not a SQLite database"] });
    }
    expect(readFileSync(path, "utf8")).toBe(text);
  });

  test("a short text file in place of the database is refused and left as it is", async () => {
    await using other = homes();
    mkdirSync(other.home);
    const path = join(other.home, "queue.db");
    writeFileSync(path, "hello\n");
    expectRefusal(await other("enqueue", "true"), { status: 1, says: [path] });
    expect(readFileSync(path, "utf8")).toBe("hello\n");
  });

  test("another program's database is refused and left as it is", async () => {
    await using other = homes();
    mkdirSync(other.home);
    const path = join(other.home, "queue.db");
    using db = new Database(path);
    db.run("create table recipes (name text)");
    const bytes = readFileSync(path);
    expectRefusal(await other("enqueue", "true"), { status: 1, says: [path] });
    expect(readFileSync(path)).toEqual(bytes);
  });

  test("a database of a newer version is refused and left as it is", async () => {
    await using other = homes();
    await other.ok("enqueue", "true", "--id", "kept");
    const path = join(other.home, "queue.db");
    const setVersion = (version: number) => {
      using db = new Database(path);
      const { user_version } = db.query("pragma user_version").get() as { user_version: number };
      db.run(`pragma user_version = ${version}`);
      return user_version;
    };
    const version = setVersion(9999);
    for (const words of commands)
      expectRefusal(await other(...words), { status: 1, says: [path, "9999", "newer"] });
    setVersion(version);
    expect(await other.json("list")).toMatchObject([{ id: "kept", state: "pending", attempts: 0 }]);
  });
});

/** Root may write anywhere, so it becomes nobody first. */
async function asOrdinaryUser(other: Queuectl, home: string, words: readonly string[]): Promise<Result> {
  const drop = process.getuid!() === 0 ? "setpriv --reuid=65534 --regid=65534 --clear-groups" : "";
  const command = [...program, ...words].map((word) => `'${word}'`).join(" ");
  const { stdout, ...rest } = await shell(other, `exec ${drop} ${command}`, { QUEUECTL_HOME: home });
  return { ...rest, stdout: stdout.toString() };
}
