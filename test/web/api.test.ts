// The HTTP API against the running server, held to its own document.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as alertShapes from "../../src/input/alert.ts";
import * as shapes from "../../src/input/api.ts";
import * as scheduleShapes from "../../src/input/schedule.ts";
import { type WebServer, webServer } from "../support/web-server.ts";

setDefaultTimeout(180_000);

const json = async (answer: Promise<Response> | Response) =>
  (await answer).json() as Promise<Record<string, never>>;

async function problem(answer: Promise<Response>) {
  const found = await answer;
  expect(found.headers.get("content-type")).toContain("application/problem+json");
  return { ...shapes.problem.parse(await found.json()), status: found.status };
}

/** One job dead, one completed, one pending. */
async function filled(web: WebServer): Promise<void> {
  await web.q.ok("enqueue", "exit 3", "--id", "dead", "--max-retries", "0");
  await web.q.ok("enqueue", "echo well", "--id", "done", "--tag", "x");
  await web.q.ok("worker", "--until-empty");
  await web.q.ok("enqueue", "echo later", "--id", "later", "--delay", "1h", "--queue", "mail");
}

describe("jobs", () => {
  test("a job is enqueued with the keys of its JSON, 201 and its place", async () => {
    await using web = await webServer();
    const answer = await web.api("POST", "/jobs", {
      command: "echo hi",
      id: "one",
      priority: 4,
      tags: ["a"],
      queue: "mail",
      timeout: 5,
      max_retries: 1,
      env: { K: "v" },
      cwd: "/",
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.get("location")).toBe("/api/v1/jobs/one");
    const job = shapes.job.parse(await answer.json());
    expect(job).toMatchObject({
      id: "one",
      command: "echo hi",
      priority: 4,
      tags: ["a"],
      queue: "mail",
      timeout: 5,
      max_retries: 1,
      cwd: "/",
      state: "pending",
    });
    expect(job.env.K).toBe("v");
    expect((await web.q.json("show", "one")).command).toBe("echo hi");
  });

  test("the defaults are the settings of now", async () => {
    await using web = await webServer();
    await web.q.ok("config", "set", "max_retries", "7");
    expect(await json(web.api("POST", "/jobs", { command: "true" }))).toMatchObject({
      max_retries: 7,
      queue: "default",
      priority: 1,
    });
  });

  test("asking again under one key makes one job, also when all ask at once", async () => {
    await using web = await webServer();
    const ask = (command: string) => web.api("POST", "/jobs", { command }, { "idempotency-key": "k" });
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask("echo once")));
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(9).fill(200), 201]);
    expect(new Set(await Promise.all(answers.map(async (answer) => (await json(answer)).id))).size).toBe(1);
    expect((await web.q.json("status")).total).toBe(1);
    expect(await problem(ask("echo other"))).toMatchObject({ status: 422, check: "idempotency-key" });
  });

  test("a key that was used for another job is refused, whatever the difference", async () => {
    await using web = await webServer();
    const first = { command: "make", env: { V: "1", W: "1" }, cwd: "/" };
    const ask = (body: object) => web.api("POST", "/jobs", body, { "idempotency-key": "k" });
    expect((await ask(first)).status).toBe(201);
    const others = [
      { ...first, env: { V: "2", W: "1" } },
      { command: "make", cwd: "/" },
      { ...first, cwd: "/tmp" },
      { ...first, timeout: 9 },
      { ...first, held: true },
      { ...first, run_at: "2030-01-01T00:00:00Z" },
    ];
    for (const other of others)
      expect(await problem(ask(other))).toMatchObject({ status: 422, check: "idempotency-key" });
    expect((await ask({ cwd: "/", env: { W: "1", V: "1" }, command: "make" })).status).toBe(200);
    const wrong = { command: "make", after: ["none"] };
    expect((await web.api("POST", "/jobs", wrong, { "idempotency-key": "w" })).status).toBe(404);
    expect((await web.q.json("status")).total).toBe(1);
  });

  test("asking again gives the job that was edited since, and is not held to settings that were changed", async () => {
    await using web = await webServer();
    const ask = () => web.api("POST", "/jobs", { command: "make" }, { "idempotency-key": "k" });
    const { id } = await json(ask());
    await web.q.ok("edit", id!, "--command", "make all");
    await web.q.ok("config", "set", "priority", "5");
    const again = await ask();
    expect([again.status, again.headers.get("idempotency-replayed")]).toEqual([200, "true"]);
    expect(await json(again)).toMatchObject({ id, command: "make all" } as never);
  });

  test("a key that is too long is refused, not cut", async () => {
    await using web = await webServer();
    const ask = (key: string) => web.api("POST", "/jobs", { command: "true" }, { "idempotency-key": key });
    expect((await ask("k".repeat(300))).status).toBe(201);
    expect(await problem(ask("k".repeat(301)))).toMatchObject({ status: 400, check: "idempotency-key" });
  });

  test("lists are paged by what follows, and filtered", async () => {
    await using web = await webServer();
    for (let n = 0; n < 5; n++)
      await web.q.ok("enqueue", `echo ${n}`, "--id", `job-${n}`, "--queue", n % 2 === 0 ? "mail" : "default");
    const ids: string[] = [];
    let next: string | null = "";
    while (next !== null) {
      const page: { data: { id: string }[]; next: string | null } = shapes.jobs.parse(
        await json(web.api("GET", `/jobs?limit=2${next && `&before=${next}`}`)),
      ) as never;
      ids.push(...page.data.map(({ id }) => id));
      next = page.next;
    }
    expect(ids).toEqual(["job-4", "job-3", "job-2", "job-1", "job-0"]);
    const mail = shapes.jobs.parse(await json(web.api("GET", "/jobs?queue=mail&q=echo%202"))) as {
      data: { id: string }[];
    };
    expect(mail.data.map(({ id }) => id)).toEqual(["job-2"]);
  });

  test("retry, cancel and delete do what the command line does", async () => {
    await using web = await webServer();
    await filled(web);
    expect(await json(web.api("POST", "/jobs/dead/retry"))).toMatchObject({ state: "pending", attempts: 0 });
    expect(await json(web.api("POST", "/jobs/later/cancel"))).toMatchObject({ state: "cancelled" });
    expect((await web.api("DELETE", "/jobs/done")).status).toBe(204);
    expect((await web.api("GET", "/jobs/done")).status).toBe(404);
  });

  test("the dead letters are retried and deleted, and nothing else by that way", async () => {
    await using web = await webServer();
    await filled(web);
    expect((shapes.jobs.parse(await json(web.api("GET", "/dlq"))) as { data: unknown[] }).data.length).toBe(
      1,
    );
    expect(await problem(web.api("POST", "/dlq/done/retry"))).toMatchObject({
      status: 409,
      check: "wrong-state",
    });
    expect(await json(web.api("POST", "/dlq/retry-all?q=nothing"))).toEqual({ changed: 0, left: 0 } as never);
    expect(await problem(web.api("DELETE", "/dlq/done"))).toMatchObject({ status: 409 });
    expect((await web.api("POST", "/dlq/retry-all?state=dead")).status).toBe(422);
    expect(await json(web.api("POST", "/dlq/retry-all"))).toEqual({ changed: 1, left: 0 } as never);
    expect(await json(web.api("POST", "/dlq/purge"))).toEqual({ changed: 0, left: 0 } as never);
  });

  test("all that match are changed, and all of all only when it is meant", async () => {
    await using web = await webServer();
    await filled(web);
    expect(await problem(web.api("POST", "/jobs/delete"))).toMatchObject({ status: 422 });
    expect(await problem(web.api("POST", "/jobs/delete?sate=dead"))).toMatchObject({ status: 422 });
    expect(await json(web.api("POST", "/jobs/delete?state=dead"))).toEqual({ changed: 1, left: 0 } as never);
    expect(await json(web.api("POST", "/jobs/delete?all=yes"))).toEqual({ changed: 2, left: 0 } as never);
  });

  test("which jobs are meant is never read from where it is not looked for: a body, a key twice, or an empty one", async () => {
    await using web = await webServer();
    await filled(web);
    const wrong: [string, object?][] = [
      ["/dlq/purge", { queue: "mail" }],
      ["/dlq/retry-all", { queue: "mail" }],
      ["/dlq/retry-all?queue="],
      ["/dlq/retry-all?queue=%20"],
      ["/jobs/delete?all=no"],
      ["/dlq/retry-all?queue=mail&queue=default"],
      ["/jobs/delete?state=dead", { queue: "mail" }],
      ["/jobs/delete?state=completed&state=dead"],
      ["/jobs/delete?state=completed&queue="],
      ["/jobs/done/retry", { priority: 5 }],
      ["/jobs/later/cancel", { force: true }],
    ];
    for (const [path, body] of wrong)
      expect([path, (await problem(web.api("POST", path, body))).status]).toEqual([path, 422]);
    for (const path of [
      "/jobs?state=dead&state=completed",
      "/jobs?limit=1&limit=2",
      "/dlq?state=pending",
      "/jobs?limit=0",
      "/jobs?limit=201",
    ])
      expect([path, (await problem(web.api("GET", path))).status]).toEqual([path, 422]);
    const { pending, completed, dead } = await web.q.json("status");
    expect({ pending, completed, dead }).toEqual({ pending: 1, completed: 1, dead: 1 });
    expect(await json(web.api("POST", "/dlq/purge", {}))).toEqual({ changed: 1, left: 0 } as never);
  });

  test("nothing is done of which a part stands where it is not read: a parameter where there is a body, or a body", async () => {
    await using web = await webServer();
    await filled(web);
    await web.q.ok("schedule", "add", "nightly", "@yearly", "true");
    await web.q.ok("alert", "add", "deaths", "--on", "dead", "--command", "true");
    await web.api("POST", "/workers", { count: 1, queues: ["mail"] });
    const wrong: [string, string, object?][] = [
      ["POST", "/prune?dry_run=true", { older_than: 0 }],
      ["POST", "/workers/stop?id=worker-none"],
      ["POST", "/workers?count=5"],
      ["POST", "/jobs/dead/retry?priority=5"],
      ["PATCH", "/jobs/later?priority=5", { priority: 4 }],
      ["DELETE", "/jobs/later?dry_run=true"],
      ["DELETE", "/jobs/later", { dry_run: true }],
      ["POST", "/schedules/nightly/run", { command: "false" }],
      ["POST", "/schedules/nightly/pause", { until: "tomorrow" }],
      ["POST", "/alerts/deaths/pause", { for: 60 }],
      ["POST", "/alerts/deaths/test", { to: "me" }],
      ["POST", "/queues/mail/pause", { for: 60 }],
    ];
    for (const [method, path, body] of wrong)
      expect([path, (await problem(web.api(method, path, body))).status]).toEqual([path, 422]);
    expect(await web.q.json("status")).toMatchObject({
      pending: 1,
      completed: 1,
      dead: 1,
      active_workers: 1,
    });
    expect((await json(web.api("GET", "/schedules/nightly"))).paused).toBe(false as never);
  });

  test("what finished long ago is counted and removed with its logs, dead letters only if they are named", async () => {
    await using web = await webServer();
    await filled(web);
    await web.q.ok("cancel", "later");
    const prune = (body?: object) => web.api("POST", "/prune", body);
    expect(await json(prune())).toEqual({ completed: 0, cancelled: 0 } as never);
    const counted = await json(prune({ older_than: 0, states: ["completed", "dead"], dry_run: true }));
    expect(counted).toEqual({ completed: 1, dead: 1 } as never);
    for (const body of [
      { older_than: -1 },
      { older_than: "7d" },
      { states: ["pending"] },
      { states: [] },
      { states: ["dead"] },
      { older: 1 },
    ])
      expect([body, (await prune(body)).status]).toEqual([body, 422]);
    expect((await web.q.json("status")).total).toBe(3);
    expect(await json(prune({ older_than: 0 }))).toEqual({ completed: 1, cancelled: 1 } as never);
    expect(await json(prune({ older_than: 0, states: ["dead"] }))).toEqual({ dead: 1 } as never);
    expect((await web.q.json("status")).total).toBe(0);
    expect(await Array.fromAsync(new Bun.Glob("**/*.log").scan(`${web.q.home}/logs/jobs`))).toEqual([]);
  });

  test("an attempt's output is given as it is, and from a place on", async () => {
    await using web = await webServer();
    await filled(web);
    const raw = await web.api("GET", "/jobs/done/attempts/1/log");
    expect(raw.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(raw.headers.get("content-disposition")).toBe('attachment; filename="done-1.log"');
    expect(raw.headers.get("content-security-policy")).toContain("sandbox");
    expect(await raw.text()).toBe("well\n");
    const rest = await web.api("GET", "/jobs/done/attempts/1/log", undefined, { range: "bytes=2-" });
    expect([rest.status, await rest.text()]).toEqual([206, "ll\n"]);
    expect((await web.api("GET", "/jobs/done/attempts/2/log")).status).toBe(404);
  });
});

test("what a job printed apart is given apart", async () => {
  await using web = await webServer();
  await web.q.ok("enqueue", "echo out; echo err >&2", "--id", "apart", "--split");
  await web.q.ok("worker", "--until-empty", "--quiet");
  const log = async (query: string) => (await web.api("GET", `/jobs/apart/attempts/1/log${query}`)).text();
  expect([await log(""), await log("?stream=stdout"), await log("?stream=stderr")]).toEqual([
    "out\n",
    "out\n",
    "err\n",
  ]);
  expect((await web.api("GET", "/jobs/apart/attempts/1/log?stream=other")).status).toBe(404);
});

describe("refusals (RFC 9457)", () => {
  test("each has its status, and names what is wrong", async () => {
    await using web = await webServer();
    await web.q.ok("enqueue", "true", "--id", "taken");
    const post = (body: string, type = "application/json") =>
      fetch(`${web.url}/api/v1/jobs`, { method: "POST", body, headers: { "content-type": type } });
    expect(await problem(post('{"command": '))).toMatchObject({ status: 400, check: "json" });
    expect(await problem(post("command=true", "application/x-www-form-urlencoded"))).toMatchObject({
      status: 415,
    });
    expect(await problem(post('{"command":"true"}', "text/plain"))).toMatchObject({ status: 415 });
    expect(await problem(post('{"command":"true","priority":9}'))).toMatchObject({
      status: 422,
      errors: [{ pointer: "/priority" }],
    });
    expect(await problem(post('{"command":"true","tags":["a b"]}'))).toMatchObject({
      status: 422,
      errors: [{ pointer: "/tags" }],
    });
    expect(await problem(post('{"comand":"true"}'))).toMatchObject({
      status: 422,
      detail: expect.stringContaining('"comand"'),
    });
    expect(await problem(post('{"command":"true","run_at":"2026-12-24T18:00:00"}'))).toMatchObject({
      status: 422,
      errors: [{ pointer: "/run_at" }],
    });
    expect(await problem(post('{"command":"true","id":"taken"}'))).toMatchObject({
      status: 409,
      check: "conflict",
    });
    expect(await problem(web.api("GET", "/jobs/none"))).toMatchObject({ status: 404 });
    expect(await problem(web.api("GET", "/jobs?state=odd"))).toMatchObject({ status: 422 });
    expect(await problem(web.api("GET", "/nothing"))).toMatchObject({ status: 404 });
    const wrongMethod = await web.api("PUT", "/jobs/taken", {});
    expect([wrongMethod.status, wrongMethod.headers.get("allow")?.split(", ").sort().join()]).toEqual([
      405,
      "DELETE,GET,PATCH",
    ]);
  });

  test("a body that is no text is refused, and not taken for another one", async () => {
    await using web = await webServer();
    const body = Buffer.from('{"command":"echo caf\xe9"}', "latin1");
    const headers = { "content-type": "application/json" };
    const answer = fetch(`${web.url}/api/v1/jobs`, { method: "POST", headers, body });
    expect(await problem(answer)).toMatchObject({ status: 400, check: "text" });
    expect((await web.q.json("status")).total).toBe(0);
  });

  test("what is searched is meant to its end, however long it is", async () => {
    await using web = await webServer();
    const long = `echo ${"x".repeat(300)}`;
    for (const id of ["a", "b"]) await web.api("POST", "/jobs", { id, command: long + id });
    expect(await (await web.api("POST", `/jobs/cancel?q=${encodeURIComponent(`${long}a`)}`)).json()).toEqual({
      changed: 1,
      left: 0,
    });
    expect((await web.q.json("show", "b")).state).toBe("pending");
  });

  test("a body that is longer than its kind needs is not read (D11)", async () => {
    await using web = await webServer();
    const long = (kib: number) => "x".repeat(kib * 1024);
    const job = await web.api("POST", "/jobs", { command: long(3 * 1024) });
    expect(await job.json()).toMatchObject({ status: 413, check: "too-long" });
    const longer = web.api("POST", "/jobs", { command: long(5 * 1024) });
    expect(await problem(longer)).toMatchObject({ status: 413, check: "too-long" });
    expect((await web.api("PUT", "/settings/priority", { value: long(65) })).status).toBe(413);
    expect((await web.post("/settings/priority", { value: long(65) })).status).toBe(413);
    expect((await web.post("/login", { token: long(5) })).status).toBe(413);
    // Whoever does not say how long it is, is read no further either.
    const body = new ReadableStream({ start: (to) => to.enqueue(new TextEncoder().encode(long(65))) });
    const headers = { "content-type": "application/json" };
    const endless = await fetch(`${web.url}/api/v1/settings/priority`, { method: "PUT", headers, body });
    expect(endless.status).toBe(413);
    // A job may be as long as a command and its environment can be.
    const env = Object.fromEntries([1, 2, 3].map((n) => [`V${n}`, long(120)]));
    expect((await web.api("POST", "/jobs", { command: `true ${long(120)}`, env })).status).toBe(201);
  });
});

describe("workers, settings, figures", () => {
  test("workers are started, listed and stopped", async () => {
    await using web = await webServer();
    const { worker_ids } = shapes.workerIds.parse(
      await json(web.api("POST", "/workers", { count: 2, queues: ["mail"] })),
    );
    const { data } = shapes.workers.parse(await json(web.api("GET", "/workers"))) as {
      data: { id: string; queues: string[] }[];
    };
    expect(data.map(({ id }) => id).sort()).toEqual([...worker_ids].sort());
    expect(data[0]!.queues).toEqual(["mail"]);
    expect((await web.api("POST", "/workers/stop", { id: worker_ids[0] })).status).toBe(202);
    expect(await problem(web.api("POST", "/workers/stop", { id: "worker-none" }))).toMatchObject({
      status: 404,
    });
    expect((await web.post("/workers/stop", { id: "worker-none" })).status).toBe(404);
    expect((await web.post("/workers/stop", {})).status).toBe(404);
    expect(await problem(web.api("POST", "/workers", { count: 0 }))).toMatchObject({ status: 422 });
    for (const queue of ["", "mail,video", "mail video"])
      expect([queue, (await web.api("POST", "/workers", { queues: [queue] })).status]).toEqual([queue, 422]);
  });

  test("settings are read, set and unset, and wrong ones change nothing", async () => {
    await using web = await webServer();
    expect(await json(web.api("PUT", "/settings/max-retries", { value: 5 }))).toEqual({
      key: "max_retries",
      value: 5,
    } as never);
    expect(await problem(web.api("PUT", "/settings/max_retries", { value: "many" }))).toMatchObject({
      status: 422,
    });
    expect(await web.q.ok("config", "get", "max_retries")).toBe("5");
    expect(await json(web.api("DELETE", "/settings/max_retries"))).toMatchObject({ value: 3 });
    expect(await problem(web.api("GET", "/settings/none"))).toMatchObject({ status: 404 });
  });

  test("what is not set any more is what the environment says, if it says anything", async () => {
    await using web = await webServer({ env: { QUEUECTL_MAX_RETRIES: "9" } });
    expect(await json(web.api("DELETE", "/settings/max_retries"))).toEqual({
      key: "max_retries",
      value: 9,
    } as never);
    const said = async (key: string) => {
      const answer = await web.post(`/settings/${key}/unset`, {});
      return await (await web.get(answer.headers.get("location")!)).text();
    };
    expect(await said("max_retries")).toContain("max_retries is 9, as the environment says");
    expect(await said("priority")).toContain("priority is back to 1");
  });

  test("metrics are Prometheus' text, and totals do not fall when jobs go", async () => {
    await using web = await webServer();
    await filled(web);
    const metrics = async () => (await web.get("/metrics")).text();
    expect(await metrics()).toContain('queuectl_jobs{queue="default",state="dead"} 1');
    await web.api("POST", "/jobs/delete?all=yes");
    const after = await metrics();
    expect(after).toContain('queuectl_runs_total{result="completed"} 1');
    expect(after).toContain('queuectl_runs_total{result="failed"} 1');
    expect(after).toMatch(/^# TYPE queuectl_runs_total counter$/m);
  });

  test("every change is written down, a line each, with who and what (D21)", async () => {
    await using web = await webServer();
    await web.api("POST", "/jobs", { command: "echo 'a\nb'", id: "one" });
    await web.api("POST", "/jobs/one/cancel");
    await web.api("PUT", "/settings/priority", { value: 2 });
    const lines = readFileSync(join(web.q.home, "logs", "web-audit.log"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ action, ids, who }) => [action, ids, who])).toEqual([
      ["enqueue", ["one"], "same user"],
      ["cancel", ["one"], "same user"],
      ["config set", [], "same user"],
    ]);
  });
});

test("events tell the figures, at first and whenever they change", async () => {
  await using web = await webServer();
  const stream = await web.get("/api/v1/events");
  expect(stream.headers.get("content-type")).toContain("text/event-stream");
  let text = "";
  const reader = stream.body!.getReader();
  const heard = async (wanted: string) => {
    while (!text.includes(wanted)) text += new TextDecoder().decode((await reader.read()).value);
  };
  await heard('event: stats\ndata: {"pending":0');
  await web.q.ok("enqueue", "true");
  await heard('event: stats\ndata: {"pending":1');
  await reader.cancel();
});

describe("the document (OpenAPI 3.1)", () => {
  test("names every route of the API, and the server answers as it says", async () => {
    await using web = await webServer();
    await filled(web);
    await web.q.ok("schedule", "add", "nightly", "@daily", "true");
    await web.q.ok("schedule", "run", "nightly");
    await web.q.ok("alert", "add", "nightly", "--on", "dead", "--email", "me@example.org");
    const document = (await (await web.api("GET", "/openapi.json")).json()) as {
      openapi: string;
      paths: Record<string, Record<string, { responses: Record<string, unknown> }>>;
    };
    expect(document.openapi).toBe("3.1.0");
    const shapesOf: Record<string, { parse(value: unknown): unknown }> = {
      "/api/v1/jobs": shapes.jobs,
      "/api/v1/jobs/{id}": shapes.jobWithHistory,
      "/api/v1/jobs/{id}/attempts": shapes.attempts,
      "/api/v1/jobs/{id}/why": shapes.why,
      "/api/v1/dlq": shapes.jobs,
      "/api/v1/stats": shapes.stats,
      "/api/v1/queues": shapes.queues,
      "/api/v1/queues/{queue}": shapes.queue,
      "/api/v1/workers": shapes.workers,
      "/api/v1/schedules": scheduleShapes.schedules,
      "/api/v1/schedules/{name}": scheduleShapes.scheduleWithRuns,
      "/api/v1/alerts": alertShapes.alerts,
      "/api/v1/alerts/{name}": alertShapes.alertWithDeliveries,
      "/api/v1/settings": shapes.settings,
      "/api/v1/settings/{key}": shapes.setting,
    };
    const gets = Object.entries(document.paths).filter(
      ([path, methods]) => methods.get && path.startsWith("/api/") && !path.endsWith("/events"),
    );
    for (const [path] of gets) {
      const address = path
        .replace("{id}", "done")
        .replace("{n}", "1")
        .replace("{key}", "priority")
        .replace("{queue}", "default")
        .replace("{name}", "nightly");
      const answer = await web.get(address, { accept: "application/json" });
      expect([path, answer.status]).toEqual([path, 200]);
      shapesOf[path]?.parse(await answer.json());
    }
    expect(gets.map(([path]) => path).sort()).toEqual(
      [...Object.keys(shapesOf), "/api/v1/jobs/{id}/attempts/{n}/log"].sort(),
    );
  });
});
