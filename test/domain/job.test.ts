// A new job: how a request becomes one, and what is refused. Also which state may follow which.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Refusal, shown } from "../../src/domain/errors.ts";
import {
  checkQueue,
  isSettled,
  type JobDefaults,
  type JobRequest,
  jobStates,
  newJob,
  nextStates,
} from "../../src/domain/job.ts";
import { maxCommandBytes, maxEnvBytes, plainJob } from "../../src/domain/plain-job.ts";

const defaults: JobDefaults = {
  max_retries: 3,
  priority: 1,
  timeout: 3600,
  cwd: "/home/ada",
  env: { PATH: "/bin", LANG: "C" },
};

const job = (request: Partial<JobRequest>) => newJob({ command: "true", ...request }, defaults);

/** The refusal of a request, or a failure when it was accepted. */
function refusal(request: Partial<JobRequest>): Refusal {
  try {
    job(request);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error(`accepted: ${JSON.stringify(request)}`);
}

describe("a new job", () => {
  test("does not store what is secret of the environment that it comes from", () => {
    const secret_env = ["TOKEN", "PASS=@/run/pass"];
    const made = newJob(
      { command: "true", env: { MODE: "fast" }, rules: { secret_env } },
      { ...defaults, env: { ...defaults.env, TOKEN: "hunter2", PASS: "hunter3" } },
    );
    expect(made.env).toEqual({ ...defaults.env, MODE: "fast" });
    expect(refusal({ env: { TOKEN: "hunter2" }, rules: { secret_env } }).message).toBe(
      "TOKEN stands in env and in secret_env",
    );
  });

  test("of a command alone has the defaults for all else", () => {
    expect(job({})).toEqual({
      id: undefined,
      command: "true",
      max_retries: 3,
      priority: 1,
      timeout: 3600,
      queue: "default",
      tags: [],
      cwd: "/home/ada",
      env: { PATH: "/bin", LANG: "C" },
      rules: {},
      key: null,
      held: false,
      after: [],
      run_at: undefined,
    });
  });

  test("keeps what was asked for, zeros included", () => {
    const asked = {
      id: "007",
      command: "  echo 'ä' | tee x\n",
      max_retries: 0,
      priority: 5,
      timeout: 0,
      queue: "mail:eu-1",
      tags: ["nightly", "größe"],
      cwd: "/srv/a b",
      env: {},
      rules: {},
      key: "album 7",
      held: true,
      after: [],
      run_at: 0,
    };
    expect(job(asked)).toEqual({ ...asked, env: defaults.env });
  });

  test("lays its own variables over the default ones", () => {
    expect(job({ env: { LANG: "de_DE", EMPTY: "" } }).env).toEqual({
      PATH: "/bin",
      LANG: "de_DE",
      EMPTY: "",
    });
  });

  test("has a tag that is named twice once, where it stood first", () => {
    expect(job({ tags: ["a", "b", "a"] }).tags).toEqual(["a", "b"]);
  });

  test("does not change the request or the defaults", () => {
    const request = Object.freeze({
      command: "true",
      tags: Object.freeze(["a"]),
      env: Object.freeze({ A: "1" }),
    });
    expect(() =>
      newJob(request, Object.freeze({ ...defaults, env: Object.freeze({ ...defaults.env }) })),
    ).not.toThrow();
  });

  test("may stand at every end of its ranges", () => {
    for (const max_retries of [0, 1000]) expect(job({ max_retries }).max_retries).toBe(max_retries);
    for (const priority of [1, 5]) expect(job({ priority }).priority).toBe(priority);
    for (const timeout of [0, 0.5, 316_224_000]) expect(job({ timeout }).timeout).toBe(timeout);
  });
});

describe("refused by name and range", () => {
  test.each([-1, 1.5, 1001, Number.NaN, Number.POSITIVE_INFINITY])("max_retries %d", (max_retries) => {
    expect(refusal({ max_retries }).message).toBe(
      `max_retries cannot be ${max_retries}: it is a whole number from 0 to 1000`,
    );
  });

  test.each([0, 6, -1, 2.5, Number.NaN])("priority %d", (priority) => {
    expect(refusal({ priority }).message).toBe(
      `priority cannot be ${priority}: it is a whole number from 1 to 5`,
    );
  });

  test.each([-1, 316_224_001, Number.NaN, Number.POSITIVE_INFINITY])("timeout %d", (timeout) => {
    expect(refusal({ timeout }).message).toMatch(/^timeout cannot be .*, from 0 s to 3660d$/);
  });

  test.each(["", "-q", "a b", "a/b", "q".repeat(65), "ä", "q\n"])("queue %j", (queue) => {
    expect(refusal({ queue }).message).toContain("is not a name: 1 to 64 of A-Z a-z 0-9 . _ : -");
    expect(() => checkQueue(queue)).toThrow(Refusal);
  });

  test.each(["", "a b", "a,b", "a\tb", "a\nb", "a\u0007b", "a\u00a0b", "t".repeat(65)])("tag %j", (tag) => {
    expect(refusal({ tags: ["fine", tag] }).message).toContain(
      "is not 1 to 64 characters without blanks and commas",
    );
  });

  test("more than 64 tags", () => {
    const tags = Array.from({ length: 65 }, (_, index) => `t${index}`);
    expect(refusal({ tags }).message).toBe("a job has at most 64 tags, not 65");
    expect(job({ tags: tags.slice(1) }).tags).toHaveLength(64);
  });

  test("an id that is none", () => {
    expect(refusal({ id: "a b" }).message).toStartWith('"a b" is not a job id');
  });

  test.each(["", "here", "./here", "~/here", "/a\0b"])("cwd %j", (cwd) => {
    expect(refusal({ cwd }).message).toStartWith("cwd must be an absolute path, not ");
  });

  test.each(["", "1A", "A B", "A=B", "Ä", "A\0"])("a variable named %j", (name) => {
    expect(refusal({ env: { [name]: "x" } }).message).toContain("is not the name of an environment variable");
  });

  test("a variable with a NUL byte, which no process can be given", () => {
    expect(refusal({ env: { A: "x\0y" } }).message).toBe("the environment variable A contains a NUL byte");
  });

  test("what its keys, its rules and the jobs before it cannot be", () => {
    expect(refusal({ key: "two\nlines" }).message).toContain("is not 1 to 200 characters on one line");
    expect(refusal({ unique: { seconds: -1 } }).message).toStartWith("unique_for cannot be -1");
    expect(refusal({ rules: { nice: 20 } }).message).toStartWith("nice cannot be 20");
    const after = [{ id: "a", if_fails: "wait" as const }];
    expect(refusal({ id: "a", after }).message).toBe("job a cannot come after itself");
  });

  test("half a character, which cannot be stored as it is", () => {
    for (const request of [
      { tags: ["a\ud800"] },
      { cwd: "/\ud800" },
      { env: { A: "\udc00b" } },
      { rules: { secret_env: ["A=@/\ud800"] } },
    ])
      expect(refusal(request).kind).toBe("usage");
    expect(job({ tags: ["😀"], cwd: "/😀", env: { A: "😀" } }).tags).toEqual(["😀"]);
  });

  test("every refusal is one of wrong use, on one line", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1 }), (text) => {
        for (const request of [
          { id: `-${text}` },
          { queue: `-${text}` },
          { tags: [` ${text}`] },
          { cwd: text.replace(/^\//, "") },
        ]) {
          const { kind, message } = refusal(request);
          expect(kind).toBe("usage");
          expect(message).not.toMatch(/\p{Cc}/u);
          expect(message.length).toBeLessThan(200);
        }
      }),
    );
  });
});

describe("the command", () => {
  test.each(["", " ", "\t\n"])("%j is empty and refused, with a hint", (command) => {
    const { message, advice } = refusal({ command });
    expect(message).toBe("the command is empty");
    expect(advice).toContain("queuectl enqueue");
  });

  test("with a NUL byte is refused", () => {
    expect(refusal({ command: "echo \0" }).message).toContain("NUL byte");
  });

  test("may be as long as the kernel takes one argument, in bytes, and no longer", () => {
    expect(job({ command: "x".repeat(maxCommandBytes) }).command).toHaveLength(maxCommandBytes);
    expect(refusal({ command: "x".repeat(maxCommandBytes + 1) }).message).toContain(
      "131072 bytes long; the limit is 131071",
    );
    expect(refusal({ command: "ä".repeat(maxCommandBytes / 2 + 1) }).message).toContain("bytes long");
  });
});

describe("the environment", () => {
  test("may hold one variable up to the kernel's limit and no longer", () => {
    const longest = "x".repeat(maxCommandBytes - 3);
    expect(job({ env: { A: longest } }).env.A).toBe(longest);
    expect(refusal({ env: { A: `${longest}x` } }).message).toContain("the environment variable A is");
  });

  test("is refused as a whole when all variables together are too long", () => {
    const size = 100_000;
    const count = Math.ceil(maxEnvBytes / size);
    const env = Object.fromEntries(
      Array.from({ length: count }, (_, index) => [`V${index}`, "x".repeat(size)]),
    );
    expect(refusal({ env }).message).toMatch(/^the environment is \d+ bytes long; the limit is 524288$/);
    delete env.V0;
    expect(Object.keys(job({ env }).env)).toHaveLength(count - 1 + 2);
  });
});

test("a quoted value stays on one line and short", () => {
  expect(shown("a\nb")).toBe('"a\\nb"');
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 500 }), (text) => {
      expect(shown(text)).not.toInclude("\n");
      expect(shown(text).length).toBeLessThanOrEqual(60);
    }),
  );
});

describe("states", () => {
  test("are exactly the documented six", () => {
    expect(jobStates).toEqual(["pending", "processing", "completed", "failed", "dead", "cancelled"]);
  });

  test("a job is settled when only a user's word lets it run again", () => {
    expect(jobStates.filter(isSettled)).toEqual(["completed", "dead", "cancelled"]);
    for (const state of jobStates) {
      expect(isSettled(state)).toBe(!nextStates[state].includes("processing") && state !== "processing");
    }
  });

  test("every job can be made pending again, and runs only from pending or failed", () => {
    expect(jobStates.filter((state) => !nextStates[state].includes("pending"))).toEqual([]);
    expect(jobStates.filter((state) => nextStates[state].includes("processing"))).toEqual([
      "pending",
      "failed",
    ]);
  });
});

test("a job of which only the command is said is the same, made by the short way or the long one", () => {
  const outcome = (make: () => unknown) => {
    try {
      return make();
    } catch (error) {
      return String(error);
    }
  };
  const command = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("", " ", "a\0b", "x".repeat(maxCommandBytes + 1)),
  );
  const cwd = fc.constantFrom("/home/ada", "ada", "/a\0b");
  const env = fc.dictionary(fc.constantFrom("PATH", "LANG", "1X"), fc.constantFrom("", "/bin", "a\0b"));
  fc.assert(
    fc.property(command, cwd, env, (command, cwd, env) => {
      const own = { ...defaults, cwd, env };
      expect(outcome(() => plainJob(command, own))).toEqual(outcome(() => newJob({ command }, own)));
    }),
  );
});
