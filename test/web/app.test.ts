// The app without a network: what it refuses to start with, what reading changes, and what happens when the queue is away.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Elysia } from "elysia";
import { Refusal } from "../../src/domain/errors.ts";
import type { Scope } from "../../src/domain/scope.ts";
import { jobLogPath } from "../../src/home.ts";
import type { Store } from "../../src/store/store.ts";
import { makeApp } from "../../src/web/app.ts";
import { sampleAlert } from "../support/sample-alerts.ts";
import { jobIn, newJob, register, runningJob } from "../support/sample-jobs.ts";
import { tempFolder } from "../support/temp-home.ts";
import { postgres } from "../support/temp-postgres.ts";
import { sqlite, tempSqlite } from "../support/temp-sqlite.ts";
import { tempStore } from "../support/temp-store.ts";
import { webOf } from "../support/web-of.ts";
import { webServer } from "../support/web-server.ts";

setDefaultTimeout(180_000);

describe("deny by default (D20)", () => {
  test("a route that does not declare its scope makes the start fail", async () => {
    await using temp = await tempSqlite();
    using folder = tempFolder();
    const undeclared = () => new Elysia().get("/new", () => "x");
    expect(() => makeApp(webOf(temp.store, folder.path), [undeclared])).toThrow(
      "the route GET /new does not declare its scope",
    );
  });

  test("every route that changes something needs more than reading, and pages need reading", async () => {
    await using temp = await tempSqlite();
    using folder = tempFolder();
    const { routes } = makeApp(webOf(temp.store, folder.path));
    const open = routes
      .filter(({ scope }) => scope === "public")
      .map(({ method, path }) => `${method} ${path}`);
    expect(open.sort()).toEqual(["GET /healthz", "GET /login", "POST /login", "POST /logout", "POST /theme"]);
    for (const { method, path, scope } of routes) {
      if (method !== "GET" && scope !== "public") expect([path, scope]).not.toEqual([path, "read"]);
    }
  });
});

for (const kind of [sqlite, postgres]) {
  test.skipIf(kind.missing !== undefined)(
    `what is no text is refused, and nothing stumbles over it, on ${kind.name}`,
    async () => {
      await using temp = await tempStore(kind);
      using folder = tempFolder();
      const faults: unknown[] = [];
      const app = makeApp({ ...webOf(temp.store, folder.path), bug: (error) => faults.push(error) });
      const status = async (method: string, path: string, body?: URLSearchParams) =>
        (await app.handle(new Request(`http://localhost${path}`, { method, body: body ?? null }))).status;
      for (const { method, path } of app.routes) {
        if (!path.includes(":")) continue;
        for (const text of ["%00", "a%00b", "%FF", "%ED%A0%80"])
          expect([path, await status(method, path.replace(/:[a-z]+/g, text))]).toEqual([path, 400]);
      }
      for (const field of ["queue", "tag", "q", "before"])
        for (const path of ["/jobs", "/dlq", "/api/v1/jobs"])
          expect(await status("GET", `${path}?${field}=%00`)).toBeLessThan(500);
      expect(await status("POST", "/workers/stop", new URLSearchParams({ id: "a\0" }))).toBeLessThan(500);
      expect(faults).toEqual([]);
    },
  );
}

test("a form of a job that is gone changes none whose id begins as that one's did", async () => {
  await using temp = await tempSqlite();
  using folder = tempFolder();
  const there = await temp.store.jobs.enqueue(newJob({ id: "report-2" }));
  const app = makeApp(webOf(temp.store, folder.path));
  const post = (path: string, fields: Record<string, string> = {}) =>
    app.handle(new Request(`http://localhost${path}`, { method: "POST", body: new URLSearchParams(fields) }));
  for (const verb of ["cancel", "hold", "retry", "delete"])
    expect([verb, (await post(`/jobs/report/${verb}`)).status]).toEqual([verb, 404]);
  const edit = { command: "false", step: "enqueue" };
  expect((await post("/jobs/report/edit", edit)).status).toBe(404);
  expect((await post("/enqueue", { ...edit, like: "report" })).status).toBe(404);
  await post("/jobs/act", { do: "delete", id: "report" });
  for (const path of ["/confirm/delete/report", "/confirm/cancel/report"])
    expect([path, (await app.handle(new Request(`http://localhost${path}`))).status]).toEqual([path, 404]);
  expect(await temp.store.jobs.find("report")).toEqual(there);
});

test("an address with the beginning of an id leads to the job, and a page that is open never goes on with another one", async () => {
  await using temp = await tempSqlite();
  using folder = tempFolder();
  await temp.store.jobs.enqueue(newJob({ id: "report-2" }));
  const app = makeApp(webOf(temp.store, folder.path));
  const get = (path: string) => app.handle(new Request(`http://localhost${path}`));
  const led = await get("/jobs/report?attempt=1");
  expect([led.status, led.headers.get("location")]).toEqual([303, "/jobs/report-2?attempt=1"]);
  for (const path of ["/p/jobs/report", "/jobs/report/log/stream", "/jobs/report/edit"])
    expect([path, (await get(path)).status]).toEqual([path, 404]);
});

test("what is done to a dead letter by the API is done while it is one, not to what somebody made of it meanwhile", async () => {
  await using temp = await tempSqlite();
  using folder = tempFolder();
  const { jobs } = temp.store;
  const find = async (id: string) => {
    const seen = await jobs.find(id);
    await jobs.retry([seen.seq]);
    return seen;
  };
  const app = makeApp(webOf({ ...temp.store, jobs: { ...jobs, find } }, folder.path));
  for (const [method, verb] of [
    ["DELETE", ""],
    ["POST", "/retry"],
  ] as const) {
    const { id } = await jobIn(temp.store, "dead");
    const answer = await app.handle(new Request(`http://localhost/api/v1/dlq/${id}${verb}`, { method }));
    expect([method, answer.status]).toEqual([method, 409]);
    expect((await jobs.find(id)).state).toBe("pending");
  }
});

test("many alerts and many workers are shown a page at a time, by their names", async () => {
  await using temp = await tempSqlite();
  using folder = tempFolder();
  const names = Array.from({ length: 120 }, (_, n) => `worker-${String(n).padStart(3, "0")}`);
  await register(temp.store, ...names);
  for (const name of names) await temp.store.alerts.add(sampleAlert({ name }));
  const app = makeApp(webOf(temp.store, folder.path));
  for (const path of ["/workers", "/alerts"]) {
    const seen: string[][] = [];
    for (let next: string | undefined = path; next; ) {
      const page = await (await app.handle(new Request(`http://localhost${next}`))).text();
      seen.push([...page.matchAll(/<tr id="(?:alert-)?(worker-\d+)"/g)].map(([, name]) => name!));
      expect(page.includes(`${seen.at(-1)!.length} of 120`)).toBe(true);
      expect(page.includes('id="stop-all"')).toBe(path === "/workers");
      next = /rel="next" href="([^"]*)"/.exec(page)?.[1]?.replaceAll("&amp;", "&");
    }
    expect([path, seen.map(({ length }) => length)]).toEqual([path, [50, 50, 20]]);
    expect(seen.flat()).toEqual(names);
  }
});

test("whoever may only read is shown nothing to press, and whoever may not enqueue nowhere to do it", async () => {
  await using temp = await tempSqlite();
  using folder = tempFolder();
  const { store } = temp;
  const at = await store.now();
  await store.jobs.enqueue(newJob({ id: "waits" }));
  await jobIn(store, "dead", { id: "died" });
  await register(store, "worker-1");
  await store.alerts.add(sampleAlert({ name: "deaths" }));
  const { id: _id, run_at: _run_at, after: _after, ...job } = newJob();
  const policy = { missed: "one", overlap: "skip", jitter: 0 } as const;
  await store.schedules.add([
    { name: "often", cron: "@daily", tz: "UTC", ...policy, job, next_at: at + 1e9 },
  ]);
  const web = webOf(store, folder.path);
  const run = { change: "hold", filter: {}, newest: 2, title: "Hold", back: "/" } as const;
  const going = web.bulkRuns.start({ ...web, store: { ...store, matching: stuck(store) } }, run).run().id;
  const shown = async (path: string, ...may: Scope[]) => {
    const identify = async () => ({ name: "test", scopes: new Set(may) });
    const app = makeApp({ ...web, access: { ...web.access, identify } });
    const answer = await app.handle(new Request(`http://localhost${path}`));
    expect([path, answer.status]).toEqual([path, 200]);
    // Which colours one likes is nobody else's business.
    return (await answer.text()).replace(/<form method="post" action="\/theme".*?<\/form>/, "");
  };
  const doing = /method="post"|"\/(p\/)?confirm\/|type="checkbox" name="id"/;
  const enqueuing = /"\/(enqueue|schedules\/new|alerts\/new|jobs\/\w+\/edit)["?]/;
  const pages = ["/jobs", "/dlq", "/dlq?q=true", "/jobs/waits", "/jobs/died", "/workers", "/queues"];
  const others = ["/schedules", "/alerts", "/alerts/deaths", "/settings", `/bulk/${going}`];
  for (const path of [...pages, ...others]) {
    const [reader, operator, enqueuer] = [
      await shown(path, "read"),
      await shown(path, "read", "operate"),
      await shown(path, "read", "operate", "enqueue"),
    ];
    expect([path, doing.exec(reader)?.[0], enqueuing.exec(reader)?.[0]]).toEqual([
      path,
      undefined,
      undefined,
    ]);
    expect([path, doing.test(operator), enqueuing.exec(operator)?.[0]]).toEqual([path, true, undefined]);
    expect([path, enqueuing.test(enqueuer)]).toEqual([path, true]);
  }
});

/** A change that comes to no end. */
const stuck = ({ matching }: Store): Store["matching"] => ({
  ...matching,
  change: () => new Promise(() => {}),
});

test("a setting that the environment says is not shown as one to change", async () => {
  await using temp = await tempSqlite();
  using folder = tempFolder();
  const app = makeApp({ ...webOf(temp.store, folder.path), environment: { QUEUECTL_MAX_RETRIES: "7" } });
  const page = await (await app.handle(new Request("http://localhost/settings"))).text();
  expect(page).not.toContain('action="/settings/max_retries"');
  expect(page).toContain('action="/settings/backoff_base"');
});

test("a refresh that fails says nothing, and what somebody pressed or asked says why", async () => {
  await using temp = await tempSqlite();
  using folder = tempFolder();
  const web = webOf(temp.store, folder.path);
  const app = makeApp(web);
  const asked = (path: string, headers: Record<string, string>, method = "GET", of = app) =>
    of.handle(new Request(`http://localhost${path}`, { method, headers }));
  const script = { "hx-request": "true" };
  expect((await asked("/p/jobs/none", script)).headers.has("hx-trigger")).toBe(false);
  for (const path of ["/jobs/none", "/p/confirm/delete/none"])
    expect((await asked(path, script)).headers.get("hx-trigger")).toContain("there is no job none");
  const html = { accept: "text/html" };
  const nobody = makeApp({ ...web, access: { ...web.access, identify: async () => undefined } });
  expect((await asked("/jobs", html, "GET", nobody)).status).toBe(303);
  expect((await asked("/jobs/act", html, "POST", nobody)).status).toBe(401);
  expect((await asked("/jobs/x/retry", script, "DELETE")).headers.get("allow")).toBe("POST");
  const away = makeApp({
    ...web,
    ready: async () => {
      throw new Refusal("unavailable", "the disk is away");
    },
  });
  const waits = async (path: string, headers: Record<string, string>, method?: string) => {
    const answer = await asked(path, headers, method, away);
    return [answer.status, answer.headers.get("refresh"), answer.headers.get("retry-after")];
  };
  expect(await waits("/jobs", html)).toEqual([503, "3", "2"]);
  expect(await waits("/jobs/act", html, "POST")).toEqual([503, null, "2"]);
  expect(await waits("/jobs", script)).toEqual([503, null, "2"]);
  expect((await asked("/healthz", html, "GET", away)).headers.get("content-type")).toContain("problem+json");
});

test("the login that a script is sent to leads back to a page of this server alone", async () => {
  await using temp = await tempSqlite();
  using folder = tempFolder();
  const web = webOf(temp.store, folder.path);
  const access = { ...web.access, identify: async () => undefined };
  const app = makeApp({ ...web, base: "/queue", access });
  const pressed = async (page: string) => {
    const headers = { "hx-request": "true", "hx-current-url": page };
    const answer = await app.handle(
      new Request("http://localhost/queue/jobs/act", { method: "POST", headers }),
    );
    return answer.headers.get("hx-redirect");
  };
  expect(await pressed("http://localhost/queue/dlq?q=a")).toBe("/queue/login?next=%2Fdlq%3Fq%3Da");
  for (const page of ["http://localhost/queues/dlq", "http://localhost/other"])
    expect(await pressed(page)).toBe("/queue/login");
});

test("what a refreshed part has to press leads back to its page", async () => {
  await using temp = await tempSqlite();
  using folder = tempFolder();
  await temp.store.jobs.enqueue(newJob({ id: "one" }));
  const app = makeApp(webOf(temp.store, folder.path));
  const part = await (await app.handle(new Request("http://localhost/p/jobs/one"))).text();
  expect(part).toContain('name="back" value="/jobs/one"');
  expect(part).not.toContain('value="/p/');
});

for (const kind of [sqlite, postgres]) {
  test.skipIf(kind.missing !== undefined)(
    `of different jobs asked for under one key at the same moment, of two servers, one is stored, on ${kind.name}`,
    async () => {
      await using temp = await tempStore(kind);
      using folder = tempFolder();
      const apps = [temp.store, await temp.another()].map((store) => makeApp(webOf(store, folder.path)));
      const ask = async (n: number) => {
        const headers = { "content-type": "application/json", "idempotency-key": "k" };
        const body = JSON.stringify({ command: `echo ${n}` });
        const request = new Request("http://localhost/api/v1/jobs", { method: "POST", headers, body });
        return (await apps[n % 2]!.handle(request)).status;
      };
      const answers = await Promise.all(Array.from({ length: 6 }, (_, n) => ask(n)));
      expect(answers.sort()).toEqual([201, ...Array(5).fill(422)]);
      expect((await temp.store.stats.read()).total).toBe(1);
    },
  );
}

test("reading changes nothing (D9)", async () => {
  await using temp = await tempSqlite();
  using folder = tempFolder();
  for (const state of ["pending", "completed", "dead", "processing"] as const)
    await jobIn(temp.store, state, { id: `job-${state}` });
  const app = makeApp(webOf(temp.store, folder.path));
  const everything = async () =>
    JSON.stringify([
      await temp.store.jobs.list({}, { limit: 0 }),
      await temp.store.workers.list(),
      await temp.store.settings.all(),
    ]);
  const before = await everything();
  for (const { method, path } of app.routes) {
    if (method !== "GET" || path.endsWith("/stream")) continue;
    const address = path.replace(":id", "job-dead").replace(":n", "1").replace(":key", "priority");
    await app.handle(new Request(`http://localhost${address}?do=delete&all=yes&like=job-dead`));
  }
  expect(await everything()).toBe(before);
});

test("an answer that depends on how fast its reader is, or on how many jobs there are, may take its time", async () => {
  await using temp = await tempSqlite();
  using folder = tempFolder();
  const { job, attempt } = await runningJob(temp.store, { id: "one" });
  const log = jobLogPath(folder.path, job.seq, attempt);
  mkdirSync(dirname(log), { recursive: true });
  writeFileSync(log, "said");
  const held: Request[] = [];
  const app = makeApp({ ...webOf(temp.store, folder.path), hold: (request) => held.push(request) });
  const json = { "content-type": "application/json" };
  for (const request of [
    new Request("http://localhost/jobs/one/log"),
    new Request("http://localhost/api/v1/jobs/one/attempts/1/log"),
    new Request("http://localhost/confirm/jobs?do=retry&all=yes&q=x"),
    new Request("http://localhost/api/v1/prune", { method: "POST", headers: json, body: '{"dry_run":true}' }),
  ]) {
    const answer = await app.handle(request);
    expect([request.url, answer.status, held.includes(request)]).toEqual([request.url, 200, true]);
    await answer.text();
  }
});

test("a bug is told as a bug, without what it said (D18)", async () => {
  await using temp = await tempSqlite();
  using folder = tempFolder();
  const store = {
    ...temp.store,
    stats: {
      ...temp.store.stats,
      read: async () => {
        throw new Error("secret path /home/x");
      },
    },
  };
  const told: unknown[] = [];
  const app = makeApp({ ...webOf(store, folder.path), bug: (error) => told.push(error) });
  for (const [path, accept] of [
    ["/", "text/html"],
    ["/api/v1/stats", "*/*"],
  ] as const) {
    const answer = await app.handle(new Request(`http://localhost${path}`, { headers: { accept } }));
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain("secret");
  }
  expect(told.length).toBe(2);
});

/** A store that counts what it is asked, group by group. */
function countedStore(store: Store): { store: Store; asked: string[] } {
  const asked: string[] = [];
  const counted = <T extends object>(group: T, name: string): T =>
    new Proxy(group, {
      get(target, key) {
        const value = Reflect.get(target, key);
        if (typeof key === "symbol") return value;
        if (typeof value === "object" && value !== null) return counted(value, `${name}${key}.`);
        if (typeof value !== "function") return value;
        return (...words: unknown[]) => {
          asked.push(`${name}${key}`);
          return value.apply(target, words);
        };
      },
    });
  return { store: counted(store, ""), asked };
}

describe("fifty tabs that refresh at once", () => {
  const parts = ["overview", "jobs", "jobs?q=x", "jobs/one", "dlq", "workers", "queues"];
  for (const part of parts) {
    test(`cost the database what one costs: ${part}`, async () => {
      await using temp = await tempSqlite();
      using folder = tempFolder();
      await temp.store.jobs.enqueue(newJob({ id: "one" }));
      const { store, asked } = countedStore(temp.store);
      const refresh = async (tabs: number) => {
        const app = makeApp(webOf(store, folder.path));
        asked.length = 0;
        const ask = () => app.handle(new Request(`http://localhost/p/${part}`));
        const replies = await Promise.all(Array.from({ length: tabs }, ask));
        for (const { status } of replies) expect(status).toBe(200);
        return asked.toSorted();
      };
      const [one, fifty] = [await refresh(1), await refresh(50)];
      expect(fifty).toEqual(one);
      expect(new Set(one).size).toBeGreaterThan(2);
    });
  }
});

test("a database that goes away is said plainly, and the page heals when it comes back", async () => {
  await using web = await webServer();
  await web.q.ok("enqueue", "true", "--id", "one");
  const path = `${web.q.home}/queue.db`;
  renameSync(path, `${path}.away`);
  const away = await web.get("/jobs");
  expect(away.status).toBe(503);
  expect(away.headers.get("refresh")).toBe("3");
  const page = await away.text();
  expect(page).toContain("is gone");
  expect(page).not.toMatch(/\bat .*\.ts\b/);
  expect((await web.api("GET", "/stats")).status).toBe(503);
  renameSync(`${path}.away`, path);
  expect(await (await web.get("/jobs")).text()).toContain("job-one");
});

test("whoever may see nothing is told that the queue is away, and not where it lies (D18)", async () => {
  await using web = await webServer({ words: ["--require-token"] });
  const owner = { authorization: `Bearer ${await web.q.ok("web", "token")}` };
  renameSync(join(web.q.home, "queue.db"), join(web.q.home, "away.db"));
  for (const path of ["/healthz", "/login", "/api/v1/stats"]) {
    const answer = await web.get(path);
    expect([path, answer.status]).toEqual([path, 503]);
    expect(await answer.text()).not.toContain(web.q.home);
    expect(await (await web.get(path, owner)).text()).toContain(web.q.home);
  }
  renameSync(join(web.q.home, "away.db"), join(web.q.home, "queue.db"));
  chmodSync(join(web.q.home, "web-token"), 0o644);
  const login = await web.post("/login", { token: "x" });
  expect([login.status, (await login.text()).includes(web.q.home)]).toEqual([503, false]);
});

test("below a base path every address has it", async () => {
  await using web = await webServer({ words: ["--base-path", "/queue"] });
  await web.q.ok("enqueue", "true", "--id", "one");
  const origin = new URL(web.url).origin;
  const page = await (await fetch(`${origin}/queue/jobs`, { headers: { accept: "text/html" } })).text();
  for (const [, address] of page.matchAll(/(?:href|src|action|hx-get|hx-post)="(\/[^"]*)"/g))
    expect(address).toMatch(/^\/queue(\/|\?|$)/);
  expect((await fetch(`${origin}/jobs`)).status).toBe(404);
  expect((await fetch(`${origin}/queue/api/v1/jobs/one`)).status).toBe(200);
});
