// The queue as a program uses it, with workers as users run them.

import { Database } from "bun:sqlite";
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { jobLogPath } from "../../src/home.ts";
import { Queue, Refusal } from "../../src/index.ts";
import { noPostgres } from "../support/postgres-server.ts";
import { type Queuectl, queuectl } from "../support/queuectl.ts";
import { tempFolder } from "../support/temp-home.ts";
import { postgres } from "../support/temp-postgres.ts";
import { waitUntil } from "../support/wait-until.ts";

setDefaultTimeout(180_000);

interface Opened extends AsyncDisposable {
  readonly q: Queuectl;
  readonly queue: Queue;
}

/** A queue that a program opens, and the command line for the same. */
async function opened(): Promise<Opened> {
  const q = queuectl();
  const queue = await Queue.open({ home: q.home });
  return {
    q,
    queue,
    async [Symbol.asyncDispose]() {
      await queue[Symbol.asyncDispose]();
      await q[Symbol.asyncDispose]();
    },
  };
}

/** What a promise is rejected with. */
const reasonOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (reason) => reason,
  );

async function refusalOf(promise: Promise<unknown>): Promise<Refusal> {
  const error = await reasonOf(promise);
  expect(error).toBeInstanceOf(Refusal);
  return error as Refusal;
}

/** As a dying disk would. */
function damage(q: Queuectl, id: string): void {
  using db = new Database(join(q.home, "queue.db"));
  db.query("update jobs set tags = '[' where id = $id").run({ $id: id });
}

async function textOf(pieces: AsyncIterable<{ attempt: number; bytes: Uint8Array }>): Promise<string[]> {
  const texts: string[] = [];
  for await (const { attempt, bytes } of pieces)
    texts[attempt - 1] = (texts[attempt - 1] ?? "") + new TextDecoder().decode(bytes);
  return texts;
}

describe("enqueue", () => {
  test("stores a job as the command line would, with the defaults of the settings", async () => {
    await using both = await opened();
    const { q, queue } = both;
    await q.ok("config", "set", "max_retries", "7");
    const job = await queue.enqueue("echo hello", {
      id: "greet",
      queue: "mail",
      tags: ["a"],
      env: { K: "v" },
    });
    expect(job).toMatchObject({ id: "greet", state: "pending", max_retries: 7, cwd: process.cwd() });
    expect(await q.json("show", "greet")).toMatchObject({
      command: "echo hello",
      queue: "mail",
      tags: ["a"],
    });
    expect((await q.json("show", "greet")).env).toMatchObject({ K: "v", PATH: process.env.PATH });
  });

  test("words are run exactly as they are", async () => {
    await using both = await opened();
    const { q, queue } = both;
    const words = ["printf", "<%s>", "a b", "it's", "$HOME", "", "*", "A=1", "\n"];
    const { id } = await queue.enqueue(words);
    await q.ok("worker", "--until-empty", "--quiet");
    expect(await textOf(queue.follow(id))).toEqual(["<a b><it's><$HOME><><*><A=1><\n>"]);
  });

  test("a moment is a Date or milliseconds, and a delay is seconds", async () => {
    await using both = await opened();
    const { queue } = both;
    const at = new Date("2030-01-01T00:00:00Z");
    expect((await queue.enqueue("true", { run_at: at })).run_at).toBe(at.getTime());
    expect((await queue.enqueue("true", { run_at: at.getTime() })).run_at).toBe(at.getTime());
    const { run_at, created_at } = await queue.enqueue("true", { delay: 90 });
    expect(run_at - created_at).toBeWithin(89_000, 91_000);
  });

  test("a job comes after others, which are named as in its JSON", async () => {
    await using both = await opened();
    const { q, queue } = both;
    await queue.enqueue("exit 3", { id: "first", max_retries: 0 });
    await queue.enqueue("true", { id: "then", after: ["first"] });
    await queue.enqueue("true", { id: "anyhow", after: [{ id: "first", if_fails: "run" }] });
    await q.ok("worker", "--until-empty", "--quiet");
    const states = (await queue.wait(["first", "then", "anyhow"])).map(({ state }) => state);
    expect(states).toEqual(["dead", "cancelled", "completed"]);
    expect((await refusalOf(queue.enqueue("true", { after: ["no-such"] }))).message).toContain("no-such");
  });

  test("what a job says of its exit statuses and delays is said as in its JSON", async () => {
    await using both = await opened();
    const { q, queue } = both;
    const rules = { retry_on: "75", backoff: "fixed", backoff_base: 1, nice: 5 } as const;
    const listed = { retry_on: [75, "100-110"], dead_on: 9, memory: "500M", key: null };
    expect(await queue.enqueue("true", { ...listed, queue: "other" })).toMatchObject({
      rules: { retry_on: "75,100-110", dead_on: "9", memory: 500 * 1024 ** 2 },
      key: null,
    });
    await queue.enqueue("exit 3", { id: "one", ...rules, max_retries: 9 });
    expect(await q.json("show", "one")).toMatchObject(rules);
    await q.ok("worker", "--until-empty", "--quiet", "--queue", "default");
    expect(await queue.job("one")).toMatchObject({ state: "dead", attempts: 1, rules });
  });

  test("what is enqueued once is given back as long as it is there, alone and in a list, as on the command line", async () => {
    await using both = await opened();
    const { q, queue } = both;
    const { id } = await queue.enqueue("true", { unique: true });
    expect((await queue.enqueue("true", { unique: true })).id).toBe(id);
    expect(await queue.enqueueAll([{ command: "true", unique: true }])).toEqual([id]);
    expect(await q.ok("enqueue", "--unique", "--cwd", process.cwd(), "true")).toBe(id);
    const keyed = await queue.enqueue("true", { unique: "k", unique_for: 60 });
    await queue.cancel(keyed.id);
    expect((await queue.enqueue("false", { unique: "k", unique_for: 60 })).id).toBe(keyed.id);
    expect((await queue.enqueue("false", { unique: "k" })).id).not.toBe(keyed.id);
    expect((await queue.enqueue("true", { unique: false })).id).not.toBe(id);
    expect((await queue.enqueue("true", { unique: false, unique_for: 60 })).id).not.toBe(id);
  });

  const wrong: { readonly options: object; readonly says: string }[] = [
    { options: { maxRetries: 3 }, says: 'there is no option "maxRetries"' },
    { options: { max_retries: "3" }, says: "max_retries cannot be" },
    { options: { max_retries: 1001 }, says: "max_retries cannot be 1001" },
    { options: { tags: "nightly" }, says: "tags cannot be" },
    { options: { tags: ["a b"] }, says: 'tag "a b"' },
    { options: { after: "one" }, says: "after cannot be" },
    { options: { after: [7] }, says: "after is a list of ids" },
    { options: { after: [{ id: "one", if_fails: "go" }] }, says: "if_fails cannot be" },
    { options: { after: [{ id: "one", if_fail: "run" }] }, says: "after is a list of ids" },
    { options: { unique: {} }, says: "unique cannot be {}: it is true, or a key" },
    { options: { unique: "" }, says: "is not 1 to 200 characters" },
    { options: { unique_for: "1h" }, says: "unique_for cannot be" },
    { options: { unique_for: -1 }, says: "unique_for cannot be -1" },
    { options: { tags: [2026] }, says: "tags cannot be [ 2026 ]: it is a list of texts" },
    { options: { tags: new Array(1) }, says: "tags cannot be [ undefined ]" },
    { options: { secret_env: new Array(1) }, says: "secret_env cannot have" },
    { options: { env: { A: 5 } }, says: "env.A cannot be 5: it is a text" },
    { options: { env: { A: undefined } }, says: "env.A cannot be undefined" },
    { options: { retry_on: true }, says: "retry_on cannot be true" },
    { options: { retry_on: [75, null] }, says: "retry_on cannot be [ 75, null ]" },
    { options: { memory: "much" }, says: 'memory cannot be "much"' },
    { options: { retry_on: "all" }, says: "retry_on" },
    { options: { rules: {} }, says: 'there is no option "rules"' },
    { options: { env: [] }, says: "env cannot be" },
    { options: { env: new Map([["A", "b"]]) }, says: "env cannot be" },
    { options: { id: "a b" }, says: "a b" },
    { options: { delay: -1 }, says: "delay cannot be -1" },
    { options: { delay: "10m" }, says: "delay cannot be" },
    { options: { run_at: "tomorrow" }, says: "run_at cannot be" },
    { options: { run_at: new Date("never") }, says: "run_at cannot be" },
    { options: { run_at: 1, delay: 1 }, says: "run_at and delay say the same" },
    { options: { queue: null }, says: "queue cannot be null" },
  ];
  for (const { options, says } of wrong) {
    test(`refuses ${Bun.inspect(options).replaceAll("\n", "")}, by name, and stores nothing`, async () => {
      await using both = await opened();
      const { kind, message } = await refusalOf(both.queue.enqueue("true", options));
      expect({ kind, message }).toEqual({ kind: "usage", message: expect.stringContaining(says) });
      expect((await both.queue.stats()).total).toBe(0);
    });
  }

  test("refuses what is no command", async () => {
    await using both = await opened();
    for (const command of ["", " ", [], ["a", 1], ["a", ...new Array(1)], 7, null, undefined])
      expect((await refusalOf(both.queue.enqueue(command as string))).kind).toBe("usage");
  });

  test("stores many at once, in order, from whatever yields them, all or none", async () => {
    await using both = await opened();
    const { queue } = both;
    async function* three() {
      for (const id of ["a", "b", "c"]) yield { command: ["echo", id], id };
    }
    expect(await queue.enqueueAll(three())).toEqual(["a", "b", "c"]);
    const ids = await queue.enqueueAll([{ command: "true" }, { command: "false", delay: 60 }]);
    expect((await queue.list({ limit: 2 })).map(({ id }) => id)).toEqual([...ids].reverse());
    await refusalOf(queue.enqueueAll([{ command: "true", id: "d" }, { command: "" }]));
    expect((await queue.list()).map(({ id }) => id)).not.toContain("d");
  });

  test("refuses a list that is none, and in a list what is no job", async () => {
    await using both = await opened();
    for (const jobs of [null, undefined, 7, [null], ["true"], [{ command: "true", tags: [2026] }]])
      expect((await refusalOf(both.queue.enqueueAll(jobs as []))).kind).toBe("usage");
    expect((await both.queue.stats()).total).toBe(0);
  });
});

describe("list", () => {
  test("gives the others beside a damaged job, and tells of that one", async () => {
    await using both = await opened();
    const { q, queue } = both;
    for (const id of ["one", "bad", "two"]) await queue.enqueue("true", { id });
    damage(q, "bad");
    const told: Refusal[] = [];
    const jobs = await queue.list({ onDamaged: (why) => told.push(why) });
    expect(jobs.map(({ id }) => id)).toEqual(["two", "one"]);
    expect(told.map(({ kind, message }) => [kind, message])).toEqual([
      ["unusable", "job bad is damaged in the database: its tags cannot be read"],
    ]);
    expect((await refusalOf(queue.list({ onDamaged: 5 as never }))).kind).toBe("usage");
  });

  test("refuses a filter that there is not, which would find nothing or everything", async () => {
    await using both = await opened();
    const wrong = { state: "waiting", queue: 5, search: ["a"], queues: "mail" };
    for (const [name, value] of Object.entries(wrong))
      expect([name, (await refusalOf(both.queue.list({ [name]: value }))).kind]).toEqual([name, "usage"]);
    expect(await both.queue.list({ state: "pending", queue: undefined })).toEqual([]);
  });

  test("refuses a limit that is no number of jobs", async () => {
    await using both = await opened();
    for (const limit of [1.5, Number.NaN, -1, "1", null])
      expect((await refusalOf(both.queue.list({ limit: limit as number }))).message).toContain(
        "limit cannot be",
      );
  });
});

test("ids and options that are no such things are refused in a plain sentence", async () => {
  await using both = await opened();
  const { queue } = both;
  await queue.enqueue("true", { id: "waits" });
  const wrong: unknown[] = [5, undefined, null, {}, ["waits", 5]];
  for (const id of wrong as string[])
    for (const ask of [
      () => queue.job(id),
      () => queue.attempts(id),
      () => queue.wait(id),
      () => queue.cancel(id),
      () => queue.retry(id),
      () => queue.delete(id),
      () => queue.follow(id).next(),
      () => queue.events(id).next(),
    ])
      expect([id, (await refusalOf(ask())).kind]).toEqual([id, "usage"]);
  for (const options of [5, null, { signal: 5 }, { timeOut: 1 }] as object[])
    for (const ask of [
      () => queue.enqueue("true", options),
      () => queue.list(options),
      () => queue.wait("waits", options),
      () => queue.follow("waits", options).next(),
      () => queue.events("waits", options).next(),
    ])
      expect([options, (await refusalOf(ask())).kind]).toEqual([options, "usage"]);
  expect((await queue.list()).map(({ id, state }) => [id, state])).toEqual([["waits", "pending"]]);
});

test("ids may come from whatever yields them, also from what yields them once", async () => {
  await using both = await opened();
  const { queue } = both;
  const jobs = new Map(
    [(await queue.enqueue("true")).id, (await queue.enqueue("false")).id].map((id) => [id, id]),
  );
  const ids = () => jobs.keys() as unknown as readonly string[];
  expect((await queue.cancel(ids())).map(({ state }) => state)).toEqual(["cancelled", "cancelled"]);
  expect((await queue.wait(ids())).map(({ id }) => id)).toEqual([...jobs.keys()]);
  await queue.delete(ids());
  expect((await queue.stats()).total).toBe(0);
});

test("delete removes a damaged job too, as the command line does", async () => {
  await using both = await opened();
  const { q, queue } = both;
  await queue.enqueue("true", { id: "bad" });
  damage(q, "bad");
  await queue.delete("bad");
  expect(await queue.stats()).toMatchObject({ total: 0 });
});

describe("wait", () => {
  test("gives jobs as they were settled, in the order of their ids, however they ended", async () => {
    await using both = await opened();
    const { q, queue } = both;
    await queue.enqueue("true", { id: "fine" });
    await queue.enqueue("exit 3", { id: "bad", max_retries: 0 });
    q.start("worker", "--quiet");
    const [bad, fine] = await queue.wait(["bad", "fine"]);
    expect([bad!.state, bad!.last_exit_code, fine!.state]).toEqual(["dead", 3, "completed"]);
    expect((await queue.wait("fi")).id).toBe("fine");
  });

  test("is rejected when its time is up, and leaves the job alone", async () => {
    await using both = await opened();
    await both.queue.enqueue("true", { id: "waits" });
    expect(await reasonOf(both.queue.wait("waits", { timeout: 0.01 }))).toMatchObject({
      name: "TimeoutError",
    });
    expect((await both.queue.job("waits")).state).toBe("pending");
  });

  test("refuses a timeout that is no number of seconds", async () => {
    await using both = await opened();
    await both.queue.enqueue("true", { id: "waits" });
    for (const timeout of [Number.NaN, "10"])
      expect((await refusalOf(both.queue.wait("waits", { timeout: timeout as number }))).message).toContain(
        "timeout cannot be",
      );
  });

  test("is rejected with the signal's reason, with a word when the job is deleted, and when the queue is closed", async () => {
    await using both = await opened();
    const { q, queue } = both;
    await queue.enqueue("true", { id: "waits" });
    const stop = new AbortController();
    const aborted = reasonOf(queue.wait("waits", { signal: stop.signal }));
    const gone = refusalOf(queue.wait("waits"));
    stop.abort(new Error("enough"));
    expect(await aborted).toEqual(new Error("enough"));
    const other = await Queue.open({ home: q.home });
    const closed = reasonOf(other.wait("waits"));
    await other[Symbol.asyncDispose]();
    expect(await closed).toEqual(new Error("the queue was closed"));
    await q.ok("delete", "waits");
    expect((await gone).kind).toBe("not_found");
  });
});

describe("follow", () => {
  test("refuses to begin with an attempt that is none", async () => {
    await using both = await opened();
    await both.queue.enqueue("true", { id: "job" });
    for (const from of [0, 1.5, Number.NaN, "1"]) {
      const pieces = both.queue.follow("job", { from: from as number });
      expect((await refusalOf(pieces.next())).message).toContain("from cannot be");
    }
  });

  test("gives what a job prints while it runs, and what it prints in retries", async () => {
    await using both = await opened();
    const { q, queue } = both;
    await q.ok("config", "set", "backoff_base", "0");
    const gate = join(q.folder, "gate");
    const command = `echo begins; until [ -e '${gate}' ]; do sleep 0.02; done; echo "ends $QUEUECTL_ATTEMPT" >&2; [ $QUEUECTL_ATTEMPT = 2 ]`;
    await queue.enqueue(command, { id: "talks" });
    q.start("worker", "--quiet");
    const pieces = queue.follow("talks");
    const first = await pieces.next();
    expect(new TextDecoder().decode(first.value.bytes)).toBe("begins\n");
    expect((await queue.job("talks")).state).toBe("processing");
    await Bun.write(gate, "");
    expect(await textOf(pieces)).toEqual(["ends 1\n", "begins\nends 2\n"]);
    expect((await queue.job("talks")).state).toBe("completed");
    expect(await textOf(queue.follow("talks", { from: 2 }))).toHaveProperty("1", "begins\nends 2\n");
    expect((await queue.attempts("talks")).map(({ exit_code }) => exit_code)).toEqual([1, 0]);
  });

  test("gives output byte for byte, more of it than is read at once", async () => {
    await using both = await opened();
    const { q, queue } = both;
    const file = join(q.folder, "random");
    const bytes = crypto.getRandomValues(new Uint8Array(60_000));
    await Bun.write(file, new Blob(Array<Uint8Array<ArrayBuffer>>(20).fill(bytes)));
    await queue.enqueue(["cat", file], { id: "cat" });
    await q.ok("worker", "--until-empty", "--quiet");
    const pieces = await Array.fromAsync(queue.follow("cat"));
    expect(pieces.length).toBeGreaterThan(1);
    const hash = Bun.hash(Buffer.concat(pieces.map((piece) => piece.bytes)));
    expect(hash).toBe(Bun.hash(await Bun.file(file).arrayBuffer()));
  });

  test("says of output that is too much how much is missing, and where", async () => {
    await using both = await opened();
    const { q, queue } = both;
    await q.ok("config", "set", "log_limit", "10KiB");
    await queue.enqueue("seq 100000", { id: "numbers" });
    await q.ok("worker", "--until-empty", "--quiet");
    const pieces = await Array.fromAsync(queue.follow("numbers"));
    expect(pieces.map(({ bytes, leftOut }) => [bytes.length, leftOut])).toEqual([
      [5120, 0],
      [5120, 588_895 - 10_240],
    ]);
    expect((await queue.attempts("numbers"))[0]).toMatchObject({ log_left_out: 588_895 - 10_240 });
  });

  test("ends when the signal is aborted or the queue is closed", async () => {
    await using both = await opened();
    const { q, queue } = both;
    await queue.enqueue("true", { id: "waits" });
    expect(await Array.fromAsync(queue.follow("waits", { signal: AbortSignal.abort() }))).toEqual([]);
    const other = await Queue.open({ home: q.home });
    const ended = Array.fromAsync(other.follow("waits"));
    const events = other.events("waits");
    expect((await events.next()).value).toMatchObject({ state: "pending" });
    const over = events.next();
    await other[Symbol.asyncDispose]();
    expect(await ended).toEqual([]);
    expect(await over).toEqual({ done: true, value: undefined });
  });
});

describe("events", () => {
  test("tell the state that each job settles in, once, and end then", async () => {
    await using both = await opened();
    const { q, queue } = both;
    const ids = await queue.enqueueAll(
      Array.from({ length: 60 }, (_, n) => ({ command: n % 3 === 0 ? "false" : "true", max_retries: 0 })),
    );
    q.start("worker", "--quiet", "--count", "4");
    const settled = new Map<string, string[]>();
    for await (const { id, state } of queue.events(ids)) {
      if (state === "pending" || state === "processing") continue;
      settled.set(id, [...(settled.get(id) ?? []), state]);
    }
    expect([...settled.entries()].sort()).toEqual(
      ids.map((id, n): [string, string[]] => [id, [n % 3 === 0 ? "dead" : "completed"]]).sort(),
    );
  });

  test("begin with how the jobs are, and say what they were before", async () => {
    await using both = await opened();
    const { q, queue } = both;
    await queue.enqueue("true", { id: "one" });
    await queue.enqueue("true", { id: "two", delay: 3600 });
    const events = queue.events(["one", "two", "one"]);
    const next = async () => {
      const { value } = await events.next();
      return value && [value.id, value.before, value.state, value.job?.state];
    };
    expect([await next(), await next()]).toEqual([
      ["one", null, "pending", "pending"],
      ["two", null, "pending", "pending"],
    ]);
    await queue.cancel("one");
    expect(await next()).toEqual(["one", "pending", "cancelled", "cancelled"]);
    await queue.delete("two");
    // An id of which the deleted one is a beginning is another's.
    await q.ok("enqueue", "true", "--id", "two-2");
    expect(await next()).toEqual(["two", "pending", "deleted", undefined]);
    expect(await next()).toBeUndefined();
  });
});

test("cancel, retry and delete do what the command line does", async () => {
  await using both = await opened();
  const { q, queue } = both;
  await queue.enqueue("sleep 600", { id: "long" });
  const worker = q.start("worker", "--quiet");
  await waitUntil("it runs", async () => (await queue.job("long")).state === "processing");
  expect((await refusalOf(queue.delete("long"))).kind).toBe("wrong_state");
  const [marked] = await queue.cancel("long");
  expect(marked!.state).toBe("processing");
  expect((await queue.wait("long")).state).toBe("cancelled");
  worker.kill("SIGTERM");
  await worker.exited;
  expect((await queue.retry(["long"])).map(({ state }) => state)).toEqual(["pending"]);
  const { seq } = await queue.job("long");
  expect(existsSync(jobLogPath(q.home, seq, 1))).toBe(true);
  await queue.delete("long");
  expect(existsSync(jobLogPath(q.home, seq, 1))).toBe(false);
  expect(await queue.list()).toEqual([]);
});

test("a running job whose worker was killed is ended by cancel itself", async () => {
  await using both = await opened();
  const { q, queue } = both;
  await queue.enqueue("sleep 600", { id: "orphan" });
  const worker = q.start("worker", "--quiet");
  await waitUntil("it runs", async () => (await queue.attempts("orphan"))[0]?.pid != null);
  worker.kill("SIGKILL");
  await worker.exited;
  await queue.cancel("orphan");
  expect((await queue.wait("orphan")).state).toBe("cancelled");
});

describe("open", () => {
  test("makes the home folder for its owner alone", async () => {
    using folder = tempFolder();
    const home = join(folder.path, "new", "home");
    await using queue = await Queue.open({ home });
    await queue.enqueue("true");
    expect(statSync(home).mode & 0o777).toBe(0o700);
  });

  test("a home that is given is meant, whatever the environment says of a database", async () => {
    using folder = tempFolder();
    const script = `
      import { Queue } from ${JSON.stringify(join(import.meta.dir, "../../src/index.ts"))};
      await using queue = await Queue.open({ home: process.argv[1] });
      console.log((await queue.enqueue("true", { id: "here" })).id);
    `;
    const child = Bun.spawn([process.execPath, "-e", script, folder.path], {
      env: { ...process.env, QUEUECTL_DATABASE_URL: "postgres://nobody@127.0.0.1:1/none" },
      stdout: "pipe",
    });
    expect([await child.stdout.text(), await child.exited]).toEqual(["here\n", 0]);
  });

  test("a place that says nothing, or is misspelt, is refused: it does not mean the user's own", async () => {
    for (const place of [{ home: "" }, { database: "" }, { home: 7 }, { homes: "/tmp/q" }, "/tmp/q", null])
      expect((await refusalOf(Queue.open(place as object))).kind).toBe("usage");
  });

  test("a database that cannot be used is refused, as on the command line", async () => {
    using folder = tempFolder();
    await Bun.write(join(folder.path, "queue.db"), "no database, and long enough to tell ".repeat(100));
    expect((await refusalOf(Queue.open({ home: folder.path }))).kind).toBe("unusable");
  });
});

test("what is asked of a queue that is closed, or being closed, is rejected by that name", async () => {
  await using q = queuectl();
  const queue = await Queue.open({ home: q.home });
  await queue.enqueue("true", { id: "one" });
  async function* untilClosed() {
    yield { command: "true", id: "two" };
    await queue[Symbol.asyncDispose]();
    yield { command: "true", id: "three" };
  }
  const asked = [
    () => queue.enqueueAll(untilClosed()),
    () => queue.enqueue("true"),
    () => queue.job("one"),
    () => queue.attempts("one"),
    () => queue.list(),
    () => queue.wait("one"),
    () => queue.cancel("one"),
    () => queue.retry("one"),
    () => queue.delete("one"),
    () => queue.stats(),
    () => queue.follow("one").next(),
    () => queue.events("one").next(),
  ];
  for (const ask of asked) expect(await reasonOf(ask())).toEqual(new Error("the queue was closed"));
  expect((await q.json("list")).map(({ id }: { id: string }) => id)).toEqual(["one"]);
});

test.skipIf(noPostgres !== undefined)("all of it works on PostgreSQL", async () => {
  await using database = await postgres.makeDatabase();
  await using q = queuectl({ QUEUECTL_DATABASE_URL: database.environment.QUEUECTL_DATABASE_URL! });
  await using queue = await Queue.open({ database: database.environment.QUEUECTL_DATABASE_URL });
  await queue.enqueue("echo one; exit $((2 - QUEUECTL_ATTEMPT))", { id: "talks" });
  await q.ok("config", "set", "backoff_base", "0");
  const events = Array.fromAsync(queue.events("talks"));
  const output = textOf(queue.follow("talks"));
  q.start("worker", "--quiet");
  expect((await queue.wait("talks")).state).toBe("completed");
  expect(await output).toEqual(["one\n", "one\n"]);
  const states = (await events).map(({ state }) => state);
  expect([states[0], states.at(-1)]).toEqual(["pending", "completed"]);
  await queue.delete("talks");
  expect(await queue.stats()).toMatchObject({ total: 0 });
});
