// The dashboard inside of somebody's own app: every address is below the prefix, nobody gets in by mistake, and the app is as it was.

import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Elysia } from "elysia";
import { Queue } from "../../src/index.ts";
import { type DashboardOptions, dashboard } from "../../src/library/dashboard.ts";
import { closeBrowser, hasBrowser, openPage } from "../support/browser.ts";
import { noPostgres } from "../support/postgres-server.ts";
import { type Queuectl, queuectl } from "../support/queuectl.ts";
import { postgres } from "../support/temp-postgres.ts";
import { waitUntil } from "../support/wait-until.ts";

setDefaultTimeout(90_000);
afterAll(closeBrowser);

interface Host extends AsyncDisposable {
  readonly q: Queuectl;
  readonly queue: Queue;
  readonly url: string;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  post(path: string, fields?: Record<string, string>, headers?: Record<string, string>): Promise<Response>;
}

/** An app with routes of its own and the dashboard at /my/jobs, listening. */
async function host(options: Partial<DashboardOptions> = {}): Promise<Host> {
  const q = queuectl();
  const queue = await Queue.open({ home: q.home });
  const app = new Elysia()
    .onRequest(({ set }) => {
      set.headers["x-host"] = "yes";
      set.headers["content-security-policy"] = "default-src *";
    })
    .get("/hello", ({ cookie }) => `hello ${cookie.name?.value}`)
    .post("/upload", ({ body }) => (body as string).length)
    .get("/my/jobsite", () => "not the dashboard")
    .use(dashboard({ queue, prefix: "/my/jobs", ...options }))
    .get("/after", () => "after")
    .listen({ port: 0, hostname: "127.0.0.1" });
  const url = `http://127.0.0.1:${app.server!.port}`;
  const ask = (path: string, init: RequestInit) => fetch(`${url}${path}`, { redirect: "manual", ...init });
  return {
    q,
    queue,
    url,
    get: (path, headers = {}) => ask(path, { headers: { accept: "text/html", ...headers } }),
    post: (path, fields = {}, headers = {}) =>
      ask(path, {
        method: "POST",
        headers: { accept: "text/html", "content-type": "application/x-www-form-urlencoded", ...headers },
        body: new URLSearchParams(fields).toString(),
      }),
    async [Symbol.asyncDispose]() {
      await app.stop(true);
      await queue[Symbol.asyncDispose]();
      await q[Symbol.asyncDispose]();
    },
  };
}

const everything = () => "enqueue" as const;

describe("addresses", () => {
  const pages = [
    "",
    "/",
    "/jobs",
    "/jobs?state=dead&q=x",
    "/jobs/done",
    "/jobs/bad",
    "/dlq",
    "/workers",
    "/queues",
    "/schedules",
    "/alerts",
    "/settings",
    "/enqueue",
    "/enqueue?like=done",
    "/p/jobs",
    "/p/overview",
    "/confirm/bulk?do=delete&id=done",
    "/no-such-page",
    "/jobs/no-such-job",
  ];

  test("all lead below the prefix, on every page", async () => {
    await using app = await host({ allow: everything });
    await app.queue.enqueue("echo hello", { id: "done", tags: ["a"] });
    await app.queue.enqueue("false", { id: "bad", max_retries: 0 });
    await app.q.ok("worker", "--until-empty", "--quiet");
    await app.q.ok("schedule", "add", "nightly", "30 2 * * *", "true");
    const known = new Set<string>();
    let seen = 0;
    for (const page of pages) {
      const answer = await app.get(`/my/jobs${page}`);
      const text = await answer.text();
      expect([page, answer.headers.get("content-type")]).toEqual([page, "text/html; charset=utf-8"]);
      for (const [, address] of text.matchAll(/(?:href|src|action|formaction|hx-[a-z:]+)="(\/[^"]*)"/g)) {
        seen++;
        expect(`${page}: ${address}`).toMatch(/: \/my\/jobs(\/|\?|$)/);
        known.add(address!.replaceAll("&amp;", "&"));
      }
    }
    expect(seen).toBeGreaterThan(200);
    const missing: string[] = [];
    for (const address of known) {
      const led = await app.get(address);
      await led.body?.cancel();
      if (led.status === 404 && !address.includes("no-such")) missing.push(address);
    }
    expect(missing).toEqual([]);
  });

  test("redirects, new jobs and the API's document too", async () => {
    await using app = await host({ allow: everything });
    const api = await fetch(`${app.url}/my/jobs/api/v1/jobs`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ command: "true", id: "two" }),
    });
    expect([api.status, api.headers.get("location")]).toEqual([201, "/my/jobs/api/v1/jobs/two"]);
    const back = await app.post("/my/jobs/jobs/two/cancel", { back: "/jobs?state=pending" });
    expect(back.status).toBe(303);
    expect(back.headers.get("location")).toStartWith("/my/jobs/jobs?state=pending&notice=");
    const document = await fetch(`${app.url}/my/jobs/api/v1/openapi.json`);
    expect(await document.json()).toMatchObject({ servers: [{ url: "/my/jobs" }] });
    expect((await app.get("/my/jobs/healthz")).status).toBe(200);
  });

  test("a prefix that is none is refused", async () => {
    await using q = queuectl();
    await using queue = await Queue.open({ home: q.home });
    for (const prefix of ["", "/", "jobs", "/jobs/", "/a b", "//", "/:id", "/*"])
      expect(() => dashboard({ queue, prefix })).toThrow("prefix cannot be");
    expect(() => dashboard({ queue: {} as Queue })).toThrow("no queue that Queue.open has opened");
  });

  test("an app with a prefix of its own is refused: no address in it would be the one that pages lead to", async () => {
    await using q = queuectl();
    await using queue = await Queue.open({ home: q.home });
    const plugin = dashboard({ queue, prefix: "/app/jobs" });
    expect(() => new Elysia({ prefix: "/app" }).use(plugin)).toThrow('below the prefix "/app"');
  });

  test("options that are no such things are refused, by name, before anybody asks", async () => {
    await using q = queuectl();
    await using queue = await Queue.open({ home: q.home });
    const wrong: [object, string][] = [
      [{ perfix: "/jobs" }, 'there is no option "perfix"'],
      [{ allow: "read" }, 'allow cannot be "read"'],
      [{ allow: null }, "allow cannot be null"],
      [{ allowedHosts: "app.example.org" }, 'allowedHosts cannot be "app.example.org"'],
      [{ allowedHosts: [""] }, "allowedHosts cannot be"],
      [{ label: 5 }, "label cannot be 5"],
      [{ onFault: true }, "onFault cannot be true"],
    ];
    for (const [options, says] of wrong) expect(() => dashboard({ queue, ...options })).toThrow(says);
    expect(() => dashboard(undefined as never)).toThrow("options cannot be undefined");
  });
});

describe("who may do what", () => {
  test("without allow, everyone needs the token, the app's own user on this machine too", async () => {
    await using app = await host();
    expect((await fetch(`${app.url}/my/jobs/api/v1/stats`)).status).toBe(401);
    const asked = await app.get("/my/jobs/dlq?x=1");
    expect([asked.status, asked.headers.get("location")]).toEqual([
      303,
      "/my/jobs/login?next=%2Fdlq%3Fx%3D1",
    ]);
    expect((await app.post("/my/jobs/enqueue", { command: "true" })).status).toBe(401);
    expect((await app.queue.stats()).total).toBe(0);

    const { token } = await app.q.json("web", "token");
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(`${app.url}/my/jobs/api/v1/stats`, { headers })).status).toBe(200);
    const login = await app.post("/my/jobs/login", { token, next: "/dlq" });
    expect(login.headers.get("location")).toBe("/my/jobs/dlq");
    const cookie = login.headers.get("set-cookie")!;
    expect(cookie).toContain("; Path=/my/jobs; ");
    const page = await app.get("/my/jobs/dlq", { cookie: cookie.split(";")[0]! });
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining("Log out")]);
  });

  const judgements: { allowed: unknown; read: number; operate: number; enqueue: number }[] = [
    { allowed: "read", read: 200, operate: 403, enqueue: 403 },
    { allowed: "operate", read: 200, operate: 303, enqueue: 403 },
    { allowed: "enqueue", read: 200, operate: 303, enqueue: 201 },
    { allowed: undefined, read: 403, operate: 403, enqueue: 403 },
    { allowed: null, read: 403, operate: 403, enqueue: 403 },
    { allowed: true, read: 403, operate: 403, enqueue: 403 },
    { allowed: "admin", read: 403, operate: 403, enqueue: 403 },
    { allowed: "", read: 403, operate: 403, enqueue: 403 },
    { allowed: ["enqueue"], read: 403, operate: 403, enqueue: 403 },
  ];
  for (const { allowed, read, operate, enqueue } of judgements) {
    for (const later of [false, true]) {
      test(`allow says ${Bun.inspect(allowed)}${later ? ", later" : ""}`, async () => {
        await using app = await host({
          allow: (() => (later ? Promise.resolve(allowed) : allowed)) as never,
        });
        await app.queue.enqueue("true", { id: "one" });
        // A token is no way around what the app says.
        const { token } = await app.q.json("web", "token");
        const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
        const answers = [
          await app.get("/my/jobs/jobs"),
          await app.post("/my/jobs/jobs/one/cancel"),
          await fetch(`${app.url}/my/jobs/api/v1/jobs`, {
            method: "POST",
            headers,
            body: '{"command":"true"}',
          }),
        ];
        expect(answers.map(({ status }) => status)).toEqual([read, operate, enqueue]);
        // What needs no scope is for nobody else either.
        expect((await app.get("/my/jobs/healthz")).status).toBe(read);
        expect((await app.queue.job("one")).state).toBe(operate === 303 ? "cancelled" : "pending");
      });
    }
  }

  test("whom allow lets read is told that more takes another scope, and of no token, as there is none", async () => {
    await using app = await host({ allow: () => "read" });
    const told = await (await app.post("/my/jobs/jobs/one/cancel")).text();
    expect(told).toContain("it takes the scope operate");
    expect(told).not.toContain("token");
  });

  test("an allow that fails lets nobody in, and its app hears of it", async () => {
    const faults: unknown[] = [];
    const fault = new Error("the secret of the app");
    const failing = () => {
      throw fault;
    };
    await using app = await host({ allow: failing, onFault: (error) => faults.push(error) });
    const answer = await app.get("/my/jobs/jobs");
    expect([answer.status, await answer.text()]).toEqual([500, expect.not.stringContaining("secret of")]);
    expect(faults).toEqual([fault]);
  });

  test("a stream ends when allow says no any more, and the app goes on", async () => {
    let isAllowed = true;
    await using app = await host({ allow: () => (isAllowed ? "read" : undefined) });
    const stream = await app.get("/my/jobs/api/v1/events");
    const reader = stream.body!.getReader();
    expect((await reader.read()).done).toBe(false);
    isAllowed = false;
    while (!(await reader.read()).done);
    expect(await (await app.get("/hello")).text()).toBe("hello undefined");
  });

  test("another host name and a page of another site are refused, whatever allow says", async () => {
    await using app = await host({ allow: everything });
    const named = await app.get("/my/jobs/jobs", { host: "evil.example" });
    expect([named.status, await named.text()]).toEqual([403, expect.stringContaining("allowedHosts")]);
    await app.queue.enqueue("true", { id: "one" });
    for (const [name, value] of [
      ["sec-fetch-site", "cross-site"],
      ["origin", "https://evil.example"],
    ] as const) {
      expect((await app.post("/my/jobs/jobs/one/cancel", {}, { [name]: value })).status).toBe(403);
    }
    expect((await app.queue.job("one")).state).toBe("pending");
  });

  test("a name that the app goes by is allowed when it is said", async () => {
    await using app = await host({ allow: everything, allowedHosts: ["app.example.org"] });
    for (const name of ["app.example.org", "192.0.2.5", "[2001:db8::5]:3000", "localhost"])
      expect([name, (await app.get("/my/jobs/jobs", { host: name })).status]).toEqual([name, 200]);
    expect((await app.get("/my/jobs/jobs", { host: "other.example.org" })).status).toBe(403);
  });
});

describe("the app", () => {
  test("keeps its own routes as they were: headers, bodies of any length, and what is not there", async () => {
    await using app = await host({ allow: () => undefined });
    const hello = await app.get("/hello", { cookie: "name=world", host: "anything.example" });
    expect([hello.status, await hello.text()]).toEqual([200, "hello world"]);
    expect(hello.headers.get("content-security-policy")).toBe("default-src *");
    expect(hello.headers.has("x-frame-options")).toBe(false);
    const body = "x".repeat(6 * 1024 ** 2);
    const headers = { "content-type": "text/plain", "sec-fetch-site": "cross-site" };
    const upload = await fetch(`${app.url}/upload`, { method: "POST", headers, body });
    expect(await upload.text()).toBe(String(body.length));
    expect(await (await app.get("/my/jobsite")).text()).toBe("not the dashboard");
    expect(await (await app.get("/after")).text()).toBe("after");
    const nothing = await app.get("/nothing");
    expect([nothing.status, await nothing.text()]).toEqual([404, "NOT_FOUND"]);
  });

  test("does not loosen what the dashboard's pages may do", async () => {
    await using app = await host({ allow: everything });
    const page = await app.get("/my/jobs/jobs");
    const policy = page.headers.get("content-security-policy");
    expect(policy).toStartWith("default-src 'none'; script-src 'self' 'nonce-");
    expect(page.headers.get("x-frame-options")).toBe("DENY");
    expect(page.headers.get("x-host")).toBe("yes");
    const long = await app.post("/my/jobs/login", { token: "x".repeat(100_000) });
    expect(long.status).toBe(413);
  });

  test("starts workers of this queue from the page", async () => {
    await using app = await host({ allow: everything });
    await app.queue.enqueue("echo done", { id: "one" });
    expect((await app.post("/my/jobs/workers/start", { count: "1" })).status).toBe(303);
    expect((await app.queue.wait("one")).state).toBe("completed");
    expect(await app.q.json("worker", "list")).toHaveLength(1);
  });

  test.skipIf(noPostgres !== undefined)("starts workers of a queue on PostgreSQL as well", async () => {
    await using database = await postgres.makeDatabase();
    const url = database.environment.QUEUECTL_DATABASE_URL!;
    await using q = queuectl({ QUEUECTL_DATABASE_URL: url });
    await using queue = await Queue.open({ home: q.home, database: url });
    const app = new Elysia().use(dashboard({ queue, allow: everything }));
    const { id } = await queue.enqueue("echo done");
    const headers = { host: "localhost", "content-type": "application/x-www-form-urlencoded" };
    const start = { method: "POST", headers, body: "count=1" };
    const started = await app.handle(new Request("http://localhost/queue/workers/start", start));
    expect(started.status).toBe(303);
    expect((await queue.wait(id)).state).toBe("completed");
    const log = new Request(`http://localhost/queue/jobs/${id}/log`, { headers: { host: "localhost" } });
    expect(await (await app.handle(log)).text()).toBe("done\n");
  });

  test("is told when it has closed the queue, and that is no fault of the dashboard", async () => {
    const faults: unknown[] = [];
    await using app = await host({ allow: everything, onFault: (error) => faults.push(error) });
    await app.queue[Symbol.asyncDispose]();
    for (const path of ["/my/jobs", "/my/jobs/api/v1/jobs", "/my/jobs/healthz"]) {
      const answer = await app.get(path);
      expect([path, answer.status]).toEqual([path, 503]);
      expect(await answer.text()).toMatch(/the app has closed the queue/i);
    }
    expect((await app.get("/hello")).status).toBe(200);
    expect(faults).toEqual([]);
  });

  test("stops although somebody follows a log", async () => {
    await using q = queuectl();
    await using queue = await Queue.open({ home: q.home });
    const app = new Elysia()
      .use(dashboard({ queue, allow: everything }))
      .listen({ port: 0, hostname: "127.0.0.1" });
    await queue.enqueue("sleep 600", { id: "long" });
    q.start("worker", "--quiet");
    await waitUntil("it runs", async () => (await queue.job("long")).state === "processing");
    const stream = await fetch(`http://127.0.0.1:${app.server!.port}/queue/jobs/long/log/stream`);
    expect(stream.headers.get("content-type")).toStartWith("text/event-stream");
    const read = stream.text().catch(() => "cut");
    await app.stop(true);
    await read;
  });
});

describe.if(hasBrowser)("in a browser", () => {
  test("a job is enqueued, followed live, and a dead one retried, below the prefix alone", async () => {
    await using app = await host({ allow: everything });
    await app.q.ok("config", "set", "refresh_interval", "0.5");
    await app.queue.enqueue("exit 3", { id: "dead-1", max_retries: 0 });
    await app.q.ok("worker", "--until-empty", "--quiet");
    await using open = await openPage(`${app.url}/my/jobs`);
    const { page } = open;
    const others: string[] = [];
    page.on("request", (request) => {
      if (!new URL(request.url()).pathname.startsWith("/my/jobs")) others.push(request.url());
    });

    await page.getByRole("link", { name: /^Dead letters/ }).click();
    await page.getByRole("button", { name: "Retry: job dead-1" }).click();
    await page.getByText("Job dead-1 is back in its queue").waitFor();
    expect((await app.queue.job("dead-1")).state).toBe("pending");
    await app.queue.delete("dead-1");

    await page.getByRole("link", { name: "New job" }).click();
    const gate = `${app.q.folder}/gate`;
    const command = `echo begins; until [ -e ${gate} ]; do sleep 0.05; done; echo ends`;
    await page.getByLabel("Command").fill(command);
    await page.getByLabel("Id", { exact: true }).fill("talks");
    await page.getByRole("button", { name: "Look it over" }).click();
    await page.getByRole("button", { name: "Enqueue" }).click();
    await page.getByText("Job talks is in the queue").waitFor();
    expect(page.url()).toBe(`${app.url}/my/jobs/jobs/talks`);

    app.q.start("worker", "--quiet");
    await page.locator("#log-lines").getByText("begins").waitFor();
    await Bun.write(gate, "");
    await page.locator("#log-lines").getByText("ends", { exact: true }).waitFor();
    await page.locator("#live").getByText("completed").first().waitFor();

    await page.keyboard.press("g");
    await page.keyboard.press("w");
    await page.waitForURL(`${app.url}/my/jobs/workers`);
    await page.getByRole("button", { name: /Change to dark/ }).click();
    await page.locator("html[data-theme=dark]").waitFor();
    expect(page.url()).toBe(`${app.url}/my/jobs/workers`);
    expect([open.complaints, others]).toEqual([[], []]);
  });
});
