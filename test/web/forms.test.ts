// What a form may ask for, and where its answer may lead.

import { expect, test } from "bun:test";
import { makeApp } from "../../src/web/app.ts";
import { notice } from "../../src/web/forms.ts";
import { newJob } from "../support/sample-jobs.ts";
import { tempFolder } from "../support/temp-home.ts";
import { tempSqlite } from "../support/temp-sqlite.ts";
import { webOf } from "../support/web-of.ts";

async function dashboard() {
  const temp = await tempSqlite();
  const folder = tempFolder();
  const app = makeApp(webOf(temp.store, folder.path));
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
