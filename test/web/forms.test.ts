// What a form may ask for, and where its answer may lead.

import { expect, test } from "bun:test";
import type { Job } from "../../src/domain/job.ts";
import type { RemovedJob } from "../../src/store/jobs.ts";
import { makeApp } from "../../src/web/app.ts";
import { notice } from "../../src/web/forms.ts";
import type { Web } from "../../src/web/web.ts";
import { jobIn, newJob, runningJob } from "../support/sample-jobs.ts";
import { tempFolder } from "../support/temp-home.ts";
import { tempSqlite } from "../support/temp-sqlite.ts";
import { webOf } from "../support/web-of.ts";

async function dashboard() {
  const temp = await tempSqlite();
  const folder = tempFolder();
  const web = webOf(temp.store, folder.path);
  const logsOf: RemovedJob[] = [];
  const ended: Job[] = [];
  const processes: Web["processes"] = {
    ...web.processes,
    removeLogs: (removed) => void logsOf.push(...removed),
    endCancelled: async (jobs) => void ended.push(...jobs),
  };
  const app = makeApp({ ...web, processes });
  const get = async (path: string) =>
    (await app.handle(new Request(`http://localhost${path}`, { headers: { accept: "text/html" } }))).text();
  const post = (path: string, fields: Record<string, string>, type = "application/x-www-form-urlencoded") =>
    app.handle(
      new Request(`http://localhost${path}`, {
        method: "POST",
        headers: { "content-type": type },
        body: new URLSearchParams(fields).toString(),
      }),
    );
  const add = async (count: number) => {
    async function* jobs() {
      for (let n = 0; n < count; n++) yield newJob();
    }
    await temp.store.jobs.enqueueAll(jobs());
  };
  return {
    store: temp.store,
    get,
    post,
    add,
    logsOf,
    ended,
    async [Symbol.asyncDispose]() {
      await temp[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

test("what is sent as anything but a form is not read as one", async () => {
  await using web = await dashboard();
  await web.add(1);
  const fields = { do: "delete", all: "yes", newest: "9" };
  for (const type of ["text/plain", "multipart/form-data", "application/x-www-form-urlencodedx", ""])
    expect([type, (await web.post("/jobs/act", fields, type)).status]).toEqual([type, 415]);
  expect((await web.store.stats.read()).pending).toBe(1);
});

test("an answer leads back to a page of ours alone", async () => {
  await using web = await dashboard();
  for (const [back, place] of [
    ["/jobs?state=dead", "/jobs?state=dead&"],
    ["//evil.example/x", "/?"],
    ["/\\evil.example", "/?"],
    ["/jobs\\x", "/?"],
    ["/jobs x", "/?"],
    ["https://evil.example", "/?"],
  ]) {
    const answer = await web.post("/queues/mail/pause", { back: back! });
    expect(answer.headers.get("location")).toStartWith(`${place}notice=`);
  }
});

test("a notice is told in ASCII, and read as it was said", () => {
  const said = notice("größer \u0085 😀")["hx-trigger"]!;
  expect(said).toMatch(/^[\x20-\x7e]+$/);
  expect(JSON.parse(said).notice.text).toBe("größer \u0085 😀");
});

test("all that match are those that were there when it was asked, and none where that is not said", async () => {
  await using web = await dashboard();
  await web.add(2);
  const newest = String(await web.store.matching.newest());
  await web.add(1);
  await web.post("/jobs/act", { do: "cancel", all: "yes" });
  expect((await web.store.stats.read()).pending).toBe(3);
  await web.post("/jobs/act", { do: "cancel", all: "yes", newest });
  expect((await web.store.stats.read()).pending).toBe(1);
});

test("dead letters that are purged are those that were there when it was asked, with their output", async () => {
  await using web = await dashboard();
  const [first] = [await jobIn(web.store, "dead"), await jobIn(web.store, "dead")];
  const newest = String(await web.store.matching.newest());
  await jobIn(web.store, "dead");
  await web.post("/dlq/purge", { newest });
  expect((await web.store.stats.read()).dead).toBe(1);
  expect(web.logsOf.map(({ seq }) => seq)).toContain(first!.seq);
  expect(web.logsOf.length).toBe(2);
});

test("of all that are cancelled those that run are ended, also where their worker is gone", async () => {
  await using web = await dashboard();
  const { job } = await runningJob(web.store);
  await web.add(1);
  const newest = String(await web.store.matching.newest());
  await web.post("/jobs/act", { do: "hold", all: "yes", newest });
  expect(web.ended).toEqual([]);
  await web.post("/jobs/act", { do: "cancel", all: "yes", newest });
  expect(web.ended.map(({ seq }) => seq)).toEqual([job.seq]);
  const another = (await runningJob(web.store)).job;
  await web.post(`/jobs/${another.id}/cancel`, {});
  expect(web.ended.map(({ seq }) => seq)).toEqual([job.seq, another.seq]);
});

test("a command is stored only by the step that stores it, and what cannot be seen in it only when it is meant", async () => {
  await using web = await dashboard();
  const send = async (fields: Record<string, string>) => (await web.post("/enqueue", fields)).status;
  expect(await send({ command: "true", step: "odd" })).toBe(200);
  expect(await send({ command: "echo \u202e", step: "enqueue", sure: "no" })).toBe(422);
  expect((await web.store.stats.read()).total).toBe(0);
  expect(await send({ command: "echo \u202e", step: "enqueue", sure: "yes" })).toBe(303);
});

test("a form that was refused is another one, whose job is another", async () => {
  await using web = await dashboard();
  const once = async (step: string) => {
    const fields = { command: "true", priority: step === "change" ? "1" : "x", once: "first", step };
    const page = await (await web.post("/enqueue", fields)).text();
    return /name="once" value="([^"]+)"/.exec(page)?.[1];
  };
  expect(await once("change")).toBe("first");
  expect(await once("enqueue")).toMatch(/^[\w-]{43}$/);
});

test("the number of more than a hundred jobs has to be typed before they are cancelled or deleted", async () => {
  await using web = await dashboard();
  const question = (change: string) => web.get(`/confirm/jobs?do=${change}&all=yes`);
  await web.add(100);
  expect(await question("delete")).not.toContain('id="typed"');
  await web.add(1);
  for (const change of ["delete", "cancel"]) expect(await question(change)).toContain('pattern="101"');
  expect(await question("hold")).not.toContain('id="typed"');
});

test("what nothing is called does nothing, also where every object has it", async () => {
  await using web = await dashboard();
  for (const path of [
    "/jobs/act",
    "/schedules/x/constructor",
    "/alerts/x/constructor",
    "/queues/x/constructor",
  ])
    expect([path, (await web.post(path, { do: "constructor" })).status]).toEqual([
      path,
      path === "/jobs/act" ? 422 : 404,
    ]);
  expect(await web.get("/confirm/jobs?do=delete")).toContain("No row is ticked");
});
