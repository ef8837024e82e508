// A waiting job changed on the dashboard and by the API.

import { expect, setDefaultTimeout, test } from "bun:test";
import { makeApp } from "../../src/web/app.ts";
import { filledForm } from "../support/filled-form.ts";
import { newJob } from "../support/sample-jobs.ts";
import { tempFolder } from "../support/temp-home.ts";
import { tempSqlite } from "../support/temp-sqlite.ts";
import { waitUntil } from "../support/wait-until.ts";
import { webOf } from "../support/web-of.ts";
import { webServer } from "../support/web-server.ts";

setDefaultTimeout(180_000);

const hiddenFields = (page: string) =>
  [...page.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)].map(
    ([, name, value]): [string, string] => [name!, value!],
  );

test("the form shows the job, its preview what it becomes, and only the last step changes it", async () => {
  await using web = await webServer();
  await web.q.ok("enqueue", "echo old", "--id", "job", "--tag", "t", "--env", "MY_TOKEN=secret");
  const before = await web.q.json("show", "job");
  const form = await (await web.get("/jobs/job/edit")).text();
  expect(form).toContain("echo old</textarea>");
  expect(form).not.toContain("hush-hush");
  const env = /<textarea[^>]*name="env"[^>]*>([^<]*)</.exec(form)![1]!;
  const fields = { command: "echo new", queue: "q", priority: "3", tags: "u", env };
  const preview = await (await web.post("/jobs/job/edit", fields)).text();
  expect(preview).toContain("echo new");
  expect((await web.q.json("show", "job")).command).toBe("echo old");
  const answer = await web.post("/jobs/job/edit", [...hiddenFields(preview), ["step", "enqueue"]]);
  expect(answer.status).toBe(303);
  const after = await web.q.json("show", "job");
  expect(after).toMatchObject({
    command: "echo new",
    queue: "q",
    priority: 3,
    tags: ["u"],
    env: before.env,
  });
});

test("a command with what cannot be seen is saved only when that is said to be meant", async () => {
  await using web = await webServer();
  await web.q.ok("enqueue", "true", "--id", "job");
  const fields = { command: "rm \u202ecba", step: "enqueue" };
  expect((await web.post("/jobs/job/edit", fields)).status).toBe(422);
  expect((await web.q.json("show", "job")).command).toBe("true");
  expect((await web.post("/jobs/job/edit", { ...fields, sure: "yes" })).status).toBe(303);
});

test("what breaks a rule, and a job that does not wait any more, come back with the form", async () => {
  await using web = await webServer();
  await web.q.ok("enqueue", "true", "--id", "job");
  expect((await web.post("/jobs/job/edit", { command: "true", priority: "9" })).status).toBe(422);
  await web.q.ok("cancel", "job");
  const answer = await web.post("/jobs/job/edit", { command: "false", step: "enqueue" });
  expect(await answer.text()).toContain("job job is cancelled and cannot be edited");
  expect((await web.get("/jobs/job/edit")).status).toBe(409);
});

test("a dead letter is edited and put back into its queue in one step, by the form and by the API", async () => {
  await using web = await webServer();
  const dead = { command: "exit 3", max_retries: 0 };
  for (const id of ["form", "api"]) await web.api("POST", "/jobs", { ...dead, id });
  await web.q.ok("worker", "--until-empty", "--quiet");
  expect(await (await web.get("/jobs/form")).text()).toContain("Edit and retry");
  expect(await (await web.get("/jobs/form/edit")).text()).toContain("exit 3</textarea>");
  const fields = { command: "exit 0", max_retries: "2", step: "enqueue" };
  expect((await web.post("/jobs/form/edit", fields)).status).toBe(303);
  expect(await web.q.json("show", "form")).toMatchObject({
    state: "pending",
    command: "exit 0",
    max_retries: 2,
  });
  expect((await web.api("POST", "/dlq/api/retry", { priority: 9 })).status).toBe(422);
  expect((await web.api("PATCH", "/jobs/api", { command: "true" })).status).toBe(409);
  expect((await web.api("POST", "/dlq/api/retry", { command: "true", nice: 2 })).status).toBe(200);
  expect(await web.q.json("show", "api")).toMatchObject({ state: "pending", command: "true", nice: 2 });
});

test("whoever may not enqueue may not edit, and may hold and release", async () => {
  await using web = await webServer();
  await web.q.ok("enqueue", "true", "--id", "job");
  const token = await web.q.ok("web", "token", "--scope", "operate", "--scope", "read");
  const headers = { authorization: `Bearer ${token}` };
  expect((await web.api("PATCH", "/jobs/job", { command: "false" }, headers)).status).toBe(403);
  await web.q.ok("enqueue", "exit 1", "--id", "dead", "--max-retries", "0");
  await web.q.ok("hold", "job");
  await web.q.ok("worker", "--until-empty");
  await web.q.ok("release", "job");
  expect((await web.api("POST", "/dlq/dead/retry", { command: "false" }, headers)).status).toBe(403);
  expect(await web.q.json("show", "dead")).toMatchObject({ state: "dead", command: "exit 1" });
  expect((await web.api("POST", "/dlq/dead/retry", {}, headers)).status).toBe(200);
  expect((await web.api("POST", "/jobs/job/hold", undefined, headers)).status).toBe(200);
  expect((await web.q.json("show", "job")).held).toBe(true);
  expect((await web.api("POST", "/jobs/job/release", undefined, headers)).status).toBe(200);
});

test("the API changes the keys that it is given, and refuses what cannot be", async () => {
  await using web = await webServer();
  const before = await web.q.json("enqueue", "true", "--id", "job");
  const answer = await web.api("PATCH", "/jobs/job", { priority: 4, key: "k" });
  expect([answer.status, await answer.json()]).toEqual([
    200,
    expect.objectContaining({ priority: 4, key: "k", command: before.command }),
  ]);
  for (const body of [{ priority: 9 }, { id: "x" }, { held: true }, { nothing: 1 }, [1], [], { command: 1 }])
    expect([body, (await web.api("PATCH", "/jobs/job", body)).status]).toEqual([body, 422]);
  await web.api("PATCH", "/jobs/job", { nice: 3, env: { API_TOKEN: "hunter2hunter2" } });
  const shown = (await (await web.api("GET", "/jobs/job")).json()) as { env: Record<string, string> };
  expect(shown.env.API_TOKEN).not.toContain("hunter2");
  await web.api("PATCH", "/jobs/job", { memory: "1M", env: { ...shown.env, MORE: "1" } });
  expect(await web.q.json("show", "job")).toMatchObject({
    nice: 3,
    memory: 1_048_576,
    env: { API_TOKEN: "hunter2hunter2", MORE: "1" },
  });
  expect((await web.api("PATCH", "/jobs/nothere", { priority: 2 })).status).toBe(404);
  await web.q.ok("cancel", "job");
  expect((await web.api("PATCH", "/jobs/job", { priority: 2 })).status).toBe(409);
});

test("changes of one job that come at the same moment are all kept", async () => {
  await using web = await webServer();
  await web.q.ok("enqueue", "true", "--id", "job", "--delay", "1h");
  const changes = [{ nice: 3 }, { memory: "1M" }, { success_on: "2" }, { backoff: "fixed" }, { priority: 5 }];
  const answers = await Promise.all(changes.map((change) => web.api("PATCH", "/jobs/job", change)));
  expect(answers.map(({ status }) => status)).toEqual(changes.map(() => 200));
  const kept = { nice: 3, memory: 1_048_576, backoff: "fixed", priority: 5 };
  expect(await web.q.json("show", "job")).toMatchObject(kept);
});

test("all that match are held and released, and a held job says so", async () => {
  await using web = await webServer();
  await web.q.ok("enqueue", "true", "--id", "a", "--tag", "t");
  await web.q.ok("enqueue", "true", "--id", "b");
  expect(await (await web.api("POST", "/jobs/hold?tag=t")).json()).toEqual({ changed: 1, left: 0 });
  expect(await (await web.get("/jobs/a")).text()).toContain("is-held");
  expect(await (await web.get("/jobs/a")).text()).toContain("Release");
  expect(await (await web.api("POST", "/jobs/release?all=yes")).json()).toEqual({ changed: 1, left: 1 });
});

test("the form gives a job another key, or none", async () => {
  await using web = await webServer();
  await web.q.ok("enqueue", "true", "--id", "job", "--key", "nas");
  const form = await (await web.get("/jobs/job/edit")).text();
  expect(form).toMatch(/<input name="key"[^>]*value="nas"/);
  expect(form).not.toContain('name="unique"');
  for (const key of ["other", ""]) {
    await web.post("/jobs/job/edit", { command: "true", key, step: "enqueue" });
    expect((await web.q.json("show", "job")).key).toBe(key || null);
  }
});

/** A job with what a form cannot say: lines of its own, blanks at an end, a comma where it parts a list, a number too small. */
const hard = {
  command: "\necho a\r\necho b",
  cwd: "/tmp ",
  key: " k ",
  timeout: 1e-7,
  env: { LINES: "one\ntwo", PLAIN: " x ", SOME_TOKEN: "a\nb" },
  secret_env: ["PASS=@/etc/my,file", "OTHER"],
};

test("what nobody touched in the form stays what it is, also where a form could not say it", async () => {
  await using web = await webServer();
  await web.api("POST", "/jobs", { ...hard, id: "job" });
  const { updated_at: _at, ...before } = await web.q.json("show", "job");
  const form = await filledForm(await (await web.get("/jobs/job/edit")).text(), "enqueue");
  const answer = await web.post("/jobs/job/edit", { ...form, priority: "3", step: "enqueue", sure: "yes" });
  expect(answer.status).toBe(303);
  expect(await web.q.json("show", "job")).toMatchObject({ ...before, priority: 3 });
});

test("a copy has all that nobody touched of it", async () => {
  await using web = await webServer();
  await web.api("POST", "/jobs", { ...hard, id: "job" });
  const form = await filledForm(await (await web.get("/enqueue?like=job")).text(), "enqueue");
  const answer = await web.post("/enqueue", { ...form, id: "copy", step: "enqueue", sure: "yes" });
  expect(answer.status).toBe(303);
  expect(await web.q.json("show", "copy")).toMatchObject(hard);
});

test("of variables that are changed, those that a form cannot carry stay what they are, and it says so", async () => {
  await using web = await webServer();
  await web.api("POST", "/jobs", { ...hard, id: "job" });
  const page = await (await web.get("/jobs/job/edit")).text();
  expect(page).toContain("LINES, PASS");
  const form = await filledForm(page, "enqueue");
  const changed = { env: form.env!.replace("PLAIN= x ", "PLAIN=y"), secret_env: "THIRD" };
  await web.post("/jobs/job/edit", { ...form, ...changed, step: "enqueue", sure: "yes" });
  expect(await web.q.json("show", "job")).toMatchObject({
    ...hard,
    env: { ...hard.env, PLAIN: "y" },
    secret_env: ["PASS=@/etc/my,file", "THIRD"],
  });
});

test("a form of a job that was changed meanwhile is not saved, says so, keeps what was typed, and is saved when sent again", async () => {
  await using web = await webServer();
  await web.q.ok("enqueue", "echo old", "--id", "job", "--tag", "t");
  const form = await filledForm(await (await web.get("/jobs/job/edit")).text(), "enqueue");
  const preview = await (await web.post("/jobs/job/edit", { ...form, priority: "4" })).text();
  await web.q.ok("edit", "job", "--priority", "2", "--tag", "u");
  const refused = await web.post("/jobs/job/edit", [...hiddenFields(preview), ["step", "enqueue"]]);
  const page = await refused.text();
  expect([refused.status, page]).toEqual([422, expect.stringContaining("job job was changed meanwhile")]);
  expect(await web.q.json("show", "job")).toMatchObject({ priority: 2, tags: ["u"] });
  const again = await filledForm(page, "enqueue");
  expect(again).toMatchObject({ command: "echo old", priority: "4", tags: "t" });
  expect((await web.post("/jobs/job/edit", { ...again, step: "enqueue" })).status).toBe(303);
  expect(await web.q.json("show", "job")).toMatchObject({ priority: 4, tags: ["t"] });
});

test("of two who save their form at the same moment one is told of the other, and saves when sending again", async () => {
  await using temp = await tempSqlite();
  using folder = tempFolder();
  await temp.store.jobs.enqueue(newJob({ id: "job" }));
  const app = makeApp(webOf(temp.store, folder.path));
  const ask = (form?: Record<string, string>) =>
    app.handle(
      new Request(
        "http://localhost/jobs/job/edit",
        form && { method: "POST", body: new URLSearchParams({ ...form, step: "enqueue" }) },
      ),
    );
  const form = await filledForm(await (await ask()).text(), "enqueue");
  const answers = await Promise.all(["2", "3"].map((priority) => ask({ ...form, priority })));
  expect(answers.map(({ status }) => status).sort()).toEqual([303, 422]);
  const page = await answers.find(({ status }) => status === 422)!.text();
  expect(page).toContain("job job was changed meanwhile");
  const again = await filledForm(page, "enqueue");
  expect((await ask(again)).status).toBe(303);
  expect(String((await temp.store.jobs.find("job")).priority)).toBe(again.priority!);
});

test("a job that only ran, or was held, while its form was filled in is saved as it was typed", async () => {
  await using web = await webServer();
  await web.q.ok("enqueue", "exit 3", "--id", "job", "--backoff", "fixed", "--backoff-base", "900");
  const form = await filledForm(await (await web.get("/jobs/job/edit")).text(), "enqueue");
  const worker = web.q.start("worker", "--quiet");
  await waitUntil("it ran", async () => (await web.q.json("show", "job")).state === "failed");
  worker.kill("SIGTERM");
  await worker.exited;
  await web.q.ok("hold", "job");
  const answer = await web.post("/jobs/job/edit", { ...form, command: "exit 0", step: "enqueue" });
  expect(answer.status).toBe(303);
  expect(await web.q.json("show", "job")).toMatchObject({ state: "failed", held: true, command: "exit 0" });
});
