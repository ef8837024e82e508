// Jobs that come after others on the dashboard and in the API.

import { expect, setDefaultTimeout, test } from "bun:test";
import { makeGate } from "../support/gate.ts";
import { waitUntil } from "../support/wait-until.ts";
import { webServer } from "../support/web-server.ts";

setDefaultTimeout(180_000);

test("a job that comes after others is made by the API, and shown with its family", async () => {
  await using web = await webServer();
  await web.api("POST", "/jobs", { command: "true", id: "a" });
  const made = await web.api("POST", "/jobs", { command: "true", id: "b", after: ["a"] });
  expect([made.status, await made.json()]).toEqual([201, expect.objectContaining({ unmet: 1 })]);
  expect(await (await web.api("GET", "/jobs/a")).json()).toMatchObject({
    after: [],
    before: [{ id: "b", state: "pending" }],
  });
  expect(await (await web.api("GET", "/jobs/b")).json()).toMatchObject({
    after: [{ id: "a", state: "pending", if_fails: "cancel" }],
  });
  const wrong = await web.api("POST", "/jobs", { command: "true", after: ["nothere"] });
  expect(wrong.status).toBe(404);
  expect(await (await web.get("/jobs/b")).text()).toMatch(/Comes after.*\/jobs\/a/s);
  expect(await (await web.get("/jobs")).text()).toContain("after 1 other");
});

test("the form makes a job that comes after others, and says so before", async () => {
  await using web = await webServer();
  await web.q.ok("enqueue", "true", "--id", "a");
  await web.q.ok("enqueue", "true", "--id", "b");
  const fields = { command: "true", id: "c", after: "a, b", if_fails: "wait" };
  const preview = await (await web.post("/enqueue", fields)).text();
  expect(preview).toContain("a (wait if it fails), b (wait if it fails)");
  expect((await web.post("/enqueue", { ...fields, step: "enqueue" })).status).toBe(303);
  expect((await web.q.json("show", "c")).after.map(({ if_fails }: { if_fails: string }) => if_fails)).toEqual(
    ["wait", "wait"],
  );
});

test("a job that is there already is answered with 200, and said to be", async () => {
  await using web = await webServer();
  const send = () => web.api("POST", "/jobs", { command: "true", unique: "k" });
  const [first, second] = [await send(), await send()];
  expect([first.status, first.headers.get("queuectl-known-job")]).toEqual([201, null]);
  expect([second.status, second.headers.get("queuectl-known-job")]).toEqual([200, "true"]);
  expect(await second.json()).toEqual(await first.json());
});

test("why a job does not run is said by the API and on its page", async () => {
  await using web = await webServer();
  await web.q.ok("enqueue", "true", "--id", "a", "--hold");
  expect(await (await web.api("GET", "/jobs/a/why")).json()).toEqual({
    id: "a",
    state: "pending",
    why: "job a is held until queuectl release a",
  });
  expect(await (await web.get("/jobs/a")).text()).toContain("job a is held until");
});

test("a job that runs is said to be nobody's on its page when its worker is dead, and only then", async () => {
  await using web = await webServer();
  const gate = makeGate(web.q);
  await web.q.ok("enqueue", gate.command, "--id", "orphan");
  const worker = web.q.start("worker");
  await gate.reached();
  const page = async () => (await web.get("/jobs/orphan")).text();
  expect(await page()).not.toContain('id="why"');
  worker.kill("SIGKILL");
  await worker.exited;
  await waitUntil("the page says so", async () => (await page()).includes("which is dead; the next worker"));
  gate.open();
  await web.q.ok("worker", "--until-empty");
});
