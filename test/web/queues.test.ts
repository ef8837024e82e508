// Queues on the dashboard and in the API, against the running server.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { webServer } from "../support/web-server.ts";

setDefaultTimeout(180_000);

const text = (markup: string) => markup.replace(/<[^>]*>/g, " ").replace(/\s+/g, " ");

describe("on the dashboard", () => {
  test("a queue is paused and resumed, and what was done is said and written down", async () => {
    await using web = await webServer();
    await web.q.ok("enqueue", "true", "--queue", "mail");
    const act = async (verb: string) => {
      const answer = await web.post(`/queues/mail/${verb}`, { back: "/queues" });
      expect(answer.status).toBe(303);
      return text(await (await web.get(answer.headers.get("location")!)).text());
    };
    const paused = await act("pause");
    expect(paused).toContain("The queue mail is paused");
    expect(paused).toContain("Resume");
    expect((await web.q.json("queue", "show", "mail")).paused).toBe(true);
    expect(await act("resume")).toContain("The queue mail goes on");
    expect((await web.q.json("queue", "show", "mail")).paused).toBe(false);
    expect((await web.post("/queues/mail/explode", {})).status).toBe(404);
    const audit = await Bun.file(`${web.q.home}/logs/web-audit.log`).text();
    expect(audit).toContain('"action":"queue pause"');
  });

  test("many queues are shown a page at a time, by their names", async () => {
    await using web = await webServer();
    const names = Array.from({ length: 120 }, (_, n) => `q${String(n).padStart(3, "0")}`);
    const stdin = names.map((queue) => JSON.stringify({ command: "true", queue })).join("\n");
    await web.q.with({ stdin }, "enqueue", "--file", "-");
    const seen: string[][] = [];
    for (let path: string | undefined = "/queues"; path; ) {
      const page = await (await web.get(path)).text();
      const part = await (await web.get(`/p${path}`)).text();
      const shown = (markup: string) => [...markup.matchAll(/id="queue-([^"]*)"/g)].map(([, name]) => name!);
      seen.push(shown(page));
      expect(shown(part)).toEqual(shown(page));
      expect(text(page)).toContain(`${shown(page).length} of 120`);
      expect(text(page).includes("First")).toBe(path !== "/queues");
      path = /rel="next" href="([^"]*)"/.exec(page)?.[1]?.replaceAll("&amp;", "&");
    }
    expect(seen.map(({ length }) => length)).toEqual([50, 50, 20]);
    expect(seen.flat()).toEqual(names);
    expect(text(await (await web.get("/queues?after=q119")).text())).toContain("0 of 120");
  });

  test("forms offer some queues to choose from, however many there are", async () => {
    await using web = await webServer();
    const names = Array.from({ length: 120 }, (_, n) => `q${String(n).padStart(3, "0")}`);
    const stdin = names.map((queue) => JSON.stringify({ command: "true", queue })).join("\n");
    await web.q.with({ stdin }, "enqueue", "--file", "-");
    for (const path of ["/jobs", "/enqueue"]) {
      const page = await (await web.get(path)).text();
      const offered = [...page.matchAll(/<option value="(q\d+)"/g)].map(([, name]) => name!);
      expect([path, offered]).toEqual([path, names.slice(0, 100)]);
    }
  });

  test("the overview says how many queues without a worker, and kinds of deaths, it does not name", async () => {
    await using web = await webServer();
    const alive = Array.from({ length: 5 }, (_, n) => ({
      command: "true",
      queue: `q${n}`,
      run_at: "2099-01-01T00:00:00Z",
    }));
    const dying = Array.from({ length: 7 }, (_, n) => ({ command: `exit ${n + 1}`, max_retries: 0 }));
    const enqueue = (jobs: readonly object[]) =>
      web.q.with({ stdin: JSON.stringify(jobs) }, "enqueue", "--file", "-");
    await enqueue(dying);
    await web.q.ok("worker", "--until-empty", "--quiet");
    await enqueue(alive);
    const page = await (await web.get("/")).text();
    expect(text(page)).toContain("No worker serves 2 more queues that have jobs to run");
    expect(text(page)).toContain("2 more kinds of deaths");
  });

  test("limits are set by a form, which says what is wrong and takes them away when empty", async () => {
    await using web = await webServer();
    const set = (fields: Record<string, string>) => web.post("/queues/mail/limits", fields);
    expect((await set({ concurrency: "2", rate: "100/m" })).status).toBe(303);
    expect(await web.q.json("queue", "show", "mail")).toMatchObject({ concurrency: 2, rate: "100/m" });
    expect(text(await (await web.get("/queues")).text())).toContain("2 at once, 100/m");
    expect(await (await web.get("/queues/mail")).text()).toContain('value="2"');
    const wrong = await set({ concurrency: "<b>" });
    expect(wrong.status).toBe(422);
    expect(await wrong.text()).toMatch(/role="alert"[^>]*>[^<]*&lt;b&gt;.*value="<b>"/s);
    expect((await set({ concurrency: "" })).status).toBe(303);
    expect(await web.q.json("queue", "list")).toEqual([]);
  });

  test("what is wrong is said of the field by the word that stands above it", async () => {
    await using web = await webServer();
    const wrong = {
      "/queues/mail/limits": { concurrency: "x", rate: "x" },
      "/enqueue": {
        max_retries: "x",
        run_at: "x",
        unique_for: "x",
        backoff_base: "x",
        backoff_max: "x",
        memory: "x",
        retry_on: "x",
        dead_on: "x",
      },
      "/schedules": { max_retries: "x", success_on: "x" },
      "/alerts": { longer_than: "x", older_than: "x", gather: "x" },
    };
    const found: string[] = [];
    for (const [path, fields] of Object.entries(wrong)) {
      for (const [name, value] of Object.entries(fields)) {
        const rest = { command: "true", name: "a", cron: "@daily", on: "slow", by: "command", to: "true" };
        const answer = await web.post(path, { ...rest, step: "look", [name]: value });
        const page = await answer.text();
        const word = new RegExp(`<span>([^<]*)</span><input name="${name}"`).exec(page)?.[1];
        const fault = /id="fault"[^>]*>([^<]*)/.exec(page)?.[1];
        if (!fault?.startsWith(`“${word}” cannot be`))
          found.push(`${path} ${name}: ${answer.status} ${fault}`);
      }
    }
    expect(found).toEqual([]);
  });

  test("a wrong queue or number of workers is said in the form that starts them, which keeps what was typed", async () => {
    await using web = await webServer();
    const wrong = await web.post("/workers/start", { count: "2", queues: "mail, no/name" });
    expect(wrong.status).toBe(422);
    const page = await wrong.text();
    expect(page).toContain("<h1>Workers</h1>");
    expect(page).toMatch(/<input[^>]*name="count"[^>]*value="2"/);
    expect(page).toMatch(/<input[^>]*name="queues"[^>]*value="mail, no\/name"[^>]*aria-invalid="true"/);
    expect(text(page)).toContain("queue &quot;no/name&quot; is not a name");
    const many = await (await web.post("/workers/start", { count: "65", queues: "mail" })).text();
    expect(many).toMatch(/<input[^>]*name="count"[^>]*value="65"[^>]*aria-invalid="true"/);
    expect(many).toMatch(/<input[^>]*name="queues"[^>]*value="mail"/);
    expect(await web.q.json("worker", "list")).toEqual([]);
  });

  test("a limit that was left as the form was opened stays what somebody else has made of it since", async () => {
    await using web = await webServer();
    const opened = { concurrency_was: "", rate_was: "" };
    await web.q.ok("queue", "set", "mail", "--rate", "100/m");
    const set = (fields: Record<string, string>) =>
      web.post("/queues/mail/limits", { ...opened, concurrency: "", rate: "", ...fields });
    expect((await set({ concurrency: "2" })).status).toBe(303);
    expect(await web.q.json("queue", "show", "mail")).toMatchObject({ concurrency: 2, rate: "100/m" });
    expect((await set({})).status).toBe(303);
    expect(await web.q.json("queue", "show", "mail")).toMatchObject({ concurrency: 2, rate: "100/m" });
    const page = await (await web.get("/queues/mail")).text();
    expect(page).toContain('name="concurrency_was" value="2"');
    expect(page).toContain('name="rate_was" value="100/m"');
  });
});

describe("in the API", () => {
  test("queues are listed, paused, resumed and limited", async () => {
    await using web = await webServer();
    await web.q.ok("enqueue", "true", "--queue", "mail");
    const asked = async (method: string, path: string, body?: unknown) =>
      (await web.api(method, `/queues${path}`, body)).json();
    expect(await asked("GET", "")).toMatchObject({ data: [{ queue: "mail", pending: 1, paused: false }] });
    expect(await asked("POST", "/mail/pause")).toMatchObject({ paused: true });
    expect(await asked("PATCH", "/mail", { concurrency: 3 })).toMatchObject({ concurrency: 3, paused: true });
    expect(await asked("PATCH", "/mail", { rate: "5/10s" })).toMatchObject({ concurrency: 3, rate: "5/10s" });
    expect(await asked("PATCH", "/mail", { rate: null })).toMatchObject({ concurrency: 3, rate: null });
    expect(await asked("POST", "/mail/resume")).toMatchObject({ paused: false });
    expect(await asked("PATCH", "/mail", { concurrency: null })).toMatchObject({ concurrency: null });
    expect(await asked("GET", "/nobody")).toMatchObject({ queue: "nobody", pending: 0 });
  });

  for (const [body, status] of [
    [{ concurrency: 0 }, 422],
    [{ concurrency: 1.5 }, 422],
    [{ concurrency: "2" }, 422],
    [{ rate: "fast" }, 422],
    [{ rate: 5 }, 422],
    [{ limit: 2 }, 422],
  ] as const) {
    test(`${JSON.stringify(body)} is refused with ${status}`, async () => {
      await using web = await webServer();
      expect((await web.api("PATCH", "/queues/mail", body)).status).toBe(status);
      expect(await web.q.json("queue", "list")).toEqual([]);
    });
  }

  test("a token to read changes none, and one to operate does", async () => {
    await using web = await webServer({ words: ["--require-token"] });
    const bearing = async (scope: string) => ({
      authorization: `Bearer ${await web.q.ok("web", "token", "--scope", scope)}`,
    });
    const [read, operate] = [await bearing("read"), await bearing("operate")];
    expect((await web.api("GET", "/queues", undefined, read)).status).toBe(200);
    expect((await web.api("POST", "/queues/mail/pause", undefined, read)).status).toBe(403);
    expect((await web.api("PATCH", "/queues/mail", { concurrency: 1 }, read)).status).toBe(403);
    expect((await web.api("POST", "/queues/mail/pause", undefined, operate)).status).toBe(200);
  });
});
