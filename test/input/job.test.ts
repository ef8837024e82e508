// A job as JSON from outside: its shape, and how a wrong one is told.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Refusal } from "../../src/domain/errors.ts";
import { type Job, type JobRequest, jobStates, newJob } from "../../src/domain/job.ts";
import { jobJson } from "../../src/domain/json.ts";
import { readJob, readJobValue } from "../../src/input/job.ts";

const defaults = { max_retries: 3, priority: 1, timeout: 3600, cwd: "/", env: {} };

/** What a request says, without what it leaves open. */
const said = (request: JobRequest) => JSON.parse(JSON.stringify(request));

/** The refusal that a text of JSON meets, here or at the rules of a new job. */
function refusal(text: string, where?: string): Refusal {
  try {
    newJob(readJob(text, where), defaults);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error(`accepted: ${text}`);
}

const withKey = (key: string, value: unknown) => JSON.stringify({ command: "true", [key]: value });

describe("a job object", () => {
  test("of a command alone says nothing else", () => {
    expect(said(readJob('{"command": "echo hello"}'))).toEqual({ command: "echo hello" });
  });

  test("may say everything that a user can say", () => {
    const { run_at, ...rest } = {
      command: "echo 'ä'",
      id: "1e3",
      max_retries: 0,
      priority: 5,
      timeout: 1.5,
      queue: "mail",
      tags: ["a", "b"],
      cwd: "/srv",
      env: { A: "1" },
      run_at: "2026-12-24T18:00:00+01:00",
    };
    expect(readJob(JSON.stringify({ ...rest, run_at }))).toEqual({
      ...rest,
      run_at: Date.UTC(2026, 11, 24, 17),
    });
  });

  test("may have its memory in bytes or as a text", () => {
    for (const memory of [1_048_576, "1M"])
      expect(readJob(JSON.stringify({ command: "a", memory })).rules).toEqual({ memory: 1_048_576 });
  });

  test("comes, where it comes after others, only if these complete, unless it says otherwise", () => {
    expect(readJob('{"command":"a","after":["b",{"id":"c"},{"id":"d","if_fails":"run"}]}').after).toEqual([
      { id: "b", if_fails: "cancel" },
      { id: "c", if_fails: "cancel" },
      { id: "d", if_fails: "run" },
    ]);
  });

  test("may be written over several lines, with blanks around", () => {
    expect(readJob(' \n{\r\n\t"command":\n"true" }\n').command).toBe("true");
  });

  test("keeps the command as it is, character by character", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (command) => {
        expect(readJob(JSON.stringify({ command })).command).toBe(command);
      }),
    );
  });
});

describe("a job as it was printed", () => {
  const moment = fc.integer({ min: 0, max: Date.UTC(9999, 0) });
  const maybe = <T>(some: fc.Arbitrary<T>) => fc.option(some, { nil: null });
  const printed: fc.Arbitrary<Job> = fc.record({
    seq: fc.nat(),
    id: fc.stringMatching(/^[a-z0-9_][a-zA-Z0-9._:-]{0,63}$/),
    command: fc.string({ unit: "grapheme", minLength: 1 }).map((text) => `echo ${text.replaceAll("\0", "")}`),
    state: fc.constantFrom(...jobStates),
    attempts: fc.nat(1001),
    max_retries: fc.nat(1000),
    priority: fc.integer({ min: 1, max: 5 }),
    run_at: moment,
    next_run_at: maybe(moment),
    timeout: fc.nat(1e6),
    queue: fc.constantFrom("default", "mail:eu-1"),
    tags: fc.uniqueArray(fc.stringMatching(/^[a-zäöü]{1,20}$/), { maxLength: 5 }),
    cwd: fc.constantFrom("/", "/srv/a b"),
    env: fc.dictionary(
      fc.stringMatching(/^[A-Z][A-Z0-9_]{0,10}$/),
      fc.string().map((text) => text.replaceAll("\0", "")),
    ),
    rules: fc.constant({}),
    key: maybe(fc.constantFrom("album-7", "/srv/a b")),
    held: fc.boolean(),
    unmet: fc.constant(0),
    created_at: moment,
    updated_at: moment,
    started_at: maybe(moment),
    finished_at: maybe(moment),
    last_exit_code: maybe(fc.nat(255)),
    last_error: maybe(fc.string()),
    last_duration: maybe(fc.double({ min: 0, max: 1e6, noNaN: true })),
    worker_id: maybe(fc.constant("worker-a1")),
  });

  test("is enqueued again with what its user said, and nothing of what the system wrote", () => {
    fc.assert(
      fc.property(printed, (job) => {
        const { id, command, max_retries, priority, run_at, timeout, queue, tags, cwd, env } = job;
        const again = newJob(readJob(JSON.stringify(jobJson(job), null, 2)), defaults);
        const { rules, key, held } = job;
        const said = {
          id,
          command,
          max_retries,
          priority,
          run_at,
          timeout,
          queue,
          tags,
          cwd,
          env,
          rules,
          key,
          held,
          after: [],
        };
        expect(again).toEqual(said);
      }),
    );
  });

  test("by `show`, with its history, is accepted", () => {
    const text = withKey("attempts_history", [{ number: 1, result: "exited", exit_code: 1 }]);
    expect(said(readJob(text))).toEqual({ command: "true" });
  });

  test("by an earlier system, with times since 1970 and a next_retry_at, is accepted", () => {
    const job = {
      id: "unique-job-id",
      command: "echo Hello World",
      state: "pending",
      attempts: 0,
      max_retries: 3,
      created_at: 1_700_000_000,
      updated_at: 1_700_000_000.25,
      next_run_at: 0,
      next_retry_at: null,
      priority: 1,
      last_duration: 0.0,
      last_exit_code: null,
    };
    expect(said(readJob(JSON.stringify(job)))).toEqual({
      id: "unique-job-id",
      command: "echo Hello World",
      max_retries: 3,
      priority: 1,
    });
  });

  test.each([
    "state",
    "attempts",
    "next_run_at",
    "next_retry_at",
    "created_at",
    "updated_at",
    "started_at",
    "finished_at",
    "last_exit_code",
    "last_error",
    "last_duration",
    "worker_id",
    "attempts_history",
  ])("may have any value as its %s, which only the system writes", (key) => {
    for (const value of [null, 0, 1_700_000_000, "nonsense", true, [], {}]) {
      expect(said(readJob(withKey(key, value)))).toEqual({ command: "true" });
    }
  });
});

describe("refused as wrong use", () => {
  test.each([
    [
      "an unknown key by its name",
      withKey("comand", "x"),
      'a job has no key "comand" (did you mean command?); its keys are command, id, max_retries',
    ],
    ["several unknown keys by their names", '{"command":"a","x":1,"y":2}', 'a job has no key "x", "y"; '],
    [
      "very many unknown keys by the first of them",
      JSON.stringify({ command: "a", a: 1, b: 1, c: 1, d: 1, e: 1, f: 1 }),
      'a job has no key "a", "b", "c", "d", "e" and others; ',
    ],
    ["a key that every object has", withKey("constructor", 1), 'a job has no key "constructor"'],
    ["the key __proto__", '{"command":"a","__proto__":{"priority":5}}', 'a job has no key "__proto__"'],
    [
      "a variable __proto__",
      '{"command":"a","env":{"__proto__":"x"}}',
      '"__proto__" is not the name of an environment variable',
    ],
    ["a missing command", '{"priority":5}', "a job needs a command"],
    ["an empty object", "{}", "a job needs a command"],
    ["a command that is no text", '{"command":["a"]}', 'command must be a string, not ["a"]'],
    ["an empty command", '{"command":" "}', "the command is empty"],
    ["an array", "[]", "a job is a JSON object, not an array"],
    ["null", "null", "a job is a JSON object, not null"],
    ["a number", "3", "a job is a JSON object, not a number"],
    ["a text", '"true"', "a job is a JSON object, not a string"],
    ["max_retries as text", withKey("max_retries", "3"), 'max_retries must be a number, not "3"'],
    [
      "max_retries -1",
      withKey("max_retries", -1),
      "max_retries cannot be -1: it is a whole number from 0 to 1000",
    ],
    [
      "max_retries 1.5",
      withKey("max_retries", 1.5),
      "max_retries cannot be 1.5: it is a whole number from 0 to 1000",
    ],
    ["max_retries null", withKey("max_retries", null), "max_retries must be a number, not null"],
    ["priority 0", withKey("priority", 0), "priority cannot be 0: it is a whole number from 1 to 5"],
    ["priority 6", withKey("priority", 6), "priority cannot be 6: it is a whole number from 1 to 5"],
    ["a timeout as text", withKey("timeout", "abc"), 'timeout must be a number, not "abc"'],
    ["a timeout below 0", withKey("timeout", -1), "timeout cannot be -1: it is "],
    ["a number beyond all numbers", '{"command":"a","timeout":1e999}', "timeout must be a number"],
    ["an id that is a number", withKey("id", 7), "id must be a string, not 7"],
    ["tags that are one text", withKey("tags", "a"), 'tags must be an array, not "a"'],
    ["a tag that is no text", withKey("tags", ["a", 2]), "tags.1 must be a string, not 2"],
    ["a variable that is no text", withKey("env", { A: 1 }), "env.A must be a string, not 1"],
    ["a relative cwd", withKey("cwd", "here"), 'cwd must be an absolute path, not "here"'],
    [
      "run_at without an offset",
      withKey("run_at", "2026-12-24T18:00"),
      'run_at: "2026-12-24T18:00" is not an ISO 8601 time with an offset',
    ],
    [
      "run_at as nonsense",
      withKey("run_at", "soon"),
      'run_at: "soon" is not an ISO 8601 time with an offset',
    ],
    ["run_at on 30 February", withKey("run_at", "2026-02-30T00:00Z"), 'run_at: "2026-02-30T00:00Z" is not'],
    ["run_at as +10m, which depends on when it is read", withKey("run_at", "+10m"), 'run_at: "+10m" is not'],
    ["run_at as a number", withKey("run_at", 1_700_000_000), "run_at must be a string, not 1700000000"],
  ])("%s", (_what, text, message) => {
    const refused = refusal(text);
    expect(refused.kind).toBe("usage");
    expect(refused.message).toStartWith(message);
  });

  test("however deeply it is nested, and however much of it is wrong, in a short message", () => {
    const deep = (begin: string, end: string) => `${begin.repeat(100_000)}1${end.repeat(100_000)}`;
    expect(refusal(deep("[", "]")).message).toBe("a job is a JSON object, not an array");
    expect(refusal("[".repeat(100_000)).message).toBe("broken JSON: it is nested too deeply");
    expect(refusal(`{"command":${deep("[", "]")}}`).message).toBe("command must be a string, not an array");
    const env = `{"command":"a","env":${deep('{"A":', "}")}}`;
    expect(refusal(env).message).toBe("env.A must be a string, not an object");
    const unknown = Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`${n}${"x".repeat(500)}`, n]));
    expect(refusal(JSON.stringify({ command: "a", ...unknown })).message.length).toBeLessThan(1000);
    expect(refusal(withKey("priority", ["x".repeat(500)])).message.length).toBeLessThan(200);
  });

  test("with the place in front where there is one", () => {
    expect(refusal("3", "line 7").message).toBe("line 7: a job is a JSON object, not a number");
    expect(refusal('{"command":', "line 7").message).toBe("line 7: broken JSON: unexpected end at column 12");
    expect(() => readJobValue([], "job 2")).toThrow("job 2: a job is a JSON object, not an array");
  });
});

describe("broken JSON", () => {
  test("is refused with line and column", () => {
    expect(refusal('{"command": }').message).toBe("broken JSON: value expected at line 1, column 13");
    expect(refusal('{\n  "command": "a",\n}').message).toBe(
      "broken JSON: property name expected at line 3, column 1",
    );
  });

  test("an empty text is refused", () => {
    expect(refusal("").message).toBe("broken JSON: unexpected end at line 1, column 1");
  });

  test("comments and a comma too many are not let through", () => {
    expect(refusal('{"command":"a"} // later').message).toStartWith("broken JSON: invalid comment token");
    expect(refusal('{"command":"a",}').message).toStartWith("broken JSON: ");
  });
});
