// The form that makes a job: nothing is enqueued that was not looked at (D22), and who did it stands with the job (D21).

import { expect, setDefaultTimeout, test } from "bun:test";
import { webServer } from "../support/web-server.ts";

setDefaultTimeout(180_000);

const text = (markup: string) => markup.replace(/<[^>]*>/g, "");

test("before a job is made its exact command, directory, user and options are shown, and nothing is stored (D22)", async () => {
  await using web = await webServer();
  const fields = { command: "echo <b>\nrm -rf x", cwd: "/tmp", queue: "mail", max_retries: "0", env: "A=1" };
  const answer = await web.post("/enqueue", fields);
  expect(answer.status).toBe(200);
  const page = await answer.text();
  expect(page).toContain("echo &lt;b&gt;\nrm -rf x");
  const words = text(page);
  for (const shown of ["/bin/sh -c", "/tmp", "mail, priority 1", "none", "A=1"])
    expect(words).toContain(shown);
  expect((await web.q.json("status")).total).toBe(0);
});

test("what was looked at is what is made, once, however often it is sent", async () => {
  await using web = await webServer();
  const preview = await (await web.post("/enqueue", { command: "echo one\r\necho two", tags: "a" })).text();
  const fields = [...preview.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)].map(
    ([, name, value]): [string, string] => [name!, value!],
  );
  const send = () => web.post("/enqueue", [...fields, ["step", "enqueue"]]);
  const [first, second] = [await send(), await send()];
  expect(first.status).toBe(303);
  expect(new URL(second.headers.get("location")!, web.url).pathname).toBe(
    new URL(first.headers.get("location")!, web.url).pathname,
  );
  const jobs = await web.q.json("list");
  expect(jobs).toHaveLength(1);
  expect(jobs[0]).toMatchObject({ command: "echo one\necho two", tags: ["a"] });
});

test("a job that begins after a while is made once, however often it is sent", async () => {
  await using web = await webServer();
  const send = () => web.post("/enqueue", { command: "true", run_at: "+1h", once: "a key", step: "enqueue" });
  expect([(await send()).status, (await send()).status]).toEqual([303, 303]);
  expect((await web.q.json("status")).total).toBe(1);
});

test("an id that a job has already is refused, also when that one is just the same", async () => {
  await using web = await webServer();
  await web.q.ok("enqueue", "echo hi", "--id", "backup");
  const fields = { command: "echo hi", id: "backup", once: "a key", step: "enqueue" };
  const answer = await web.post("/enqueue", fields);
  expect(answer.status).toBe(422);
  expect(text(await answer.text())).toContain("there already is a job backup");
  const api = await web.api(
    "POST",
    "/jobs",
    { command: "echo hi", id: "backup" },
    { "idempotency-key": "k" },
  );
  expect(api.status).toBe(409);
});

test("from the preview one gets back to the form with all that was typed", async () => {
  await using web = await webServer();
  const page = await (
    await web.post("/enqueue", { command: "echo one", tags: "a b", step: "change" })
  ).text();
  expect(page).toContain("echo one</textarea>");
  expect(page).toContain('value="a b"');
  expect((await web.q.json("status")).total).toBe(0);
});

test("a command with what cannot be seen is made only when that is said to be meant (D22)", async () => {
  await using web = await webServer();
  const fields = { command: "rm \u202ecba", step: "enqueue" };
  const refused = await web.post("/enqueue", fields);
  expect(refused.status).toBe(422);
  expect(await refused.text()).toContain(">U+202E</mark>");
  expect((await web.q.json("status")).total).toBe(0);
  expect((await web.post("/enqueue", { ...fields, sure: "yes" })).status).toBe(303);
});

test("a job's page says who enqueued it by the web, and nothing of the others (D21)", async () => {
  await using web = await webServer();
  await web.post("/enqueue", { command: "true", id: "formed", step: "enqueue" });
  await web.api("POST", "/jobs", { command: "true", id: "told" });
  await web.q.ok("web", "token", "--scope", "enqueue");
  const token = await web.q.ok("web", "token", "--scope", "enqueue");
  await web.api("POST", "/jobs", { command: "true", id: "token" }, { authorization: `Bearer ${token}` });
  await web.q.ok("enqueue", "true", "--id", "typed");
  const enqueued = async (id: string) =>
    /via web by ([^<]*)/.exec(await (await web.get(`/jobs/${id}`)).text())?.[1];
  expect(await enqueued("formed")).toBe("same user");
  expect(await enqueued("told")).toBe("same user");
  expect(await enqueued("token")).toMatch(/^token [0-9a-f]{8}$/);
  expect(await enqueued("typed")).toBeUndefined();
});

test("an id that is used again is another job's", async () => {
  await using web = await webServer();
  await web.api("POST", "/jobs", { command: "true", id: "one" });
  await web.q.ok("delete", "one");
  await web.q.ok("enqueue", "true", "--id", "one");
  // Written down a minute before, as far as anybody can tell.
  const { openAudit } = await import("../../src/web/audit.ts");
  const audit = openAudit(web.q.home);
  expect(audit.enqueuedBy({ id: "one", created_at: Date.now() })).toBe("same user");
  expect(audit.enqueuedBy({ id: "one", created_at: Date.now() + 120_000 })).toBeUndefined();
});

test("the form says more of how a job is run and judged, and keeps it in a copy", async () => {
  await using web = await webServer();
  const fields = { command: "true", id: "a", success_on: "0,3", backoff: "fixed", backoff_base: "5m" };
  expect(text(await (await web.post("/enqueue", fields)).text())).toContain("Success on0,3");
  await web.post("/enqueue", { ...fields, step: "enqueue" });
  expect(await web.q.json("show", "a")).toMatchObject({
    success_on: "0,3",
    backoff: "fixed",
    backoff_base: 300,
  });
  expect(text(await (await web.get("/jobs/a")).text())).toContain("Backofffixed, 5m");
  const copy = await (await web.get("/enqueue?like=a")).text();
  expect(copy).toContain('<details id="more" class="is-full" open>');
  expect(copy).toContain('value="300"');
  const wrong = await web.post("/enqueue", { ...fields, dead_on: "3" });
  expect(wrong.status).toBe(422);
  expect(await wrong.text()).toContain("3 stands in success_on and in dead_on");
});

test("the form has a key, and what is to be once only", async () => {
  await using web = await webServer();
  const fields = { command: "true", key: "nas", unique: "true", unique_for: "1h" };
  const preview = text(await (await web.post("/enqueue", fields)).text());
  expect(preview).toContain("Keynas: one job of it runs at a time");
  expect(preview).toContain("Once onlynot while the same waits or runs, nor within 1h after it was enqueued");
  const enqueue = async (more: object) =>
    (await web.post("/enqueue", { ...fields, ...more, step: "enqueue" })).headers
      .get("location")
      ?.split("?")[0];
  const first = await enqueue({});
  expect(await enqueue({})).toBe(first);
  expect(await enqueue({ unique_key: "other" })).not.toBe(first);
  const jobs = await web.q.json("list");
  expect(jobs.map(({ key }: { key: string }) => key)).toEqual(["nas", "nas"]);
  const copy = await (await web.get(`/enqueue?like=${jobs[0].id}`)).text();
  expect(copy).toMatch(/<input name="key"[^>]*value="nas"/);
  const wrong = await web.post("/enqueue", { ...fields, unique_for: "soon" });
  expect(wrong.status).toBe(422);
  expect(await wrong.text()).toContain("“Nor so long after it” cannot be");
});
