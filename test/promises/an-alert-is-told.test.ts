// What an alert is about is told, whichever worker dies, and by however many workers once.

import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { queuectl } from "../support/queuectl.ts";
import { receiver, silence } from "../support/receiver.ts";
import { waitUntil } from "../support/wait-until.ts";

// Real processes on a shared machine, and a killed worker's message is left to it for half a minute.
setDefaultTimeout(120_000);

const idsIn = (received: readonly { readonly json: { data: { jobs: { id: string }[] } } }[]) =>
  received.flatMap(({ json }) => json.data.jobs.map(({ id }) => id));

test("what happened is told although its worker was killed before it could", async () => {
  await using q = queuectl();
  using server = receiver();
  await q.ok("alert", "add", "deaths", "--on", "dead", "--gather", "15s", "--webhook", server.url);
  const first = q.start("worker");
  await q.ok("enqueue", "--id", "a", "--max-retries", "0", "exit 1");
  await waitUntil("the first is told", () => server.received.length === 1);
  for (const id of ["b", "c"]) await q.ok("enqueue", "--id", id, "--max-retries", "0", "exit 1");
  await waitUntil("the others are dead", async () => (await q.json("status")).dead === 3);
  first.kill("SIGKILL");
  await first.exited;
  expect(idsIn(server.received)).toEqual(["a"]);
  q.start("worker");
  await waitUntil("the others are told", () => server.received.length === 2, 60_000);
  expect(server.received[1]!.json).toMatchObject({ text: "2 jobs are dead", data: { count: 2 } });
  expect(idsIn(server.received)).toEqual(["a", "b", "c"]);
});

test("a message that was under way when its worker was killed comes again, under the same id", async () => {
  await using q = queuectl();
  using server = receiver();
  server.answer = silence;
  await q.ok("alert", "add", "deaths", "--on", "dead", "--webhook", server.url);
  const first = q.start("worker");
  await q.ok("enqueue", "--max-retries", "0", "exit 1");
  await waitUntil("it is under way", () => server.received.length === 1);
  first.kill("SIGKILL");
  await first.exited;
  server.answer = () => new Response("ok");
  q.start("worker");
  await waitUntil("it comes again", () => server.received.length === 2, 100_000);
  const ids = server.received.map(({ headers }) => headers["webhook-id"]);
  expect(ids[1]).toBe(ids[0]!);
  await waitUntil("it is done with", async () => (await q.json("alert", "list"))[0].waiting === 0);
});

test("a worker that is stopped leaves its messages to the next one at once", async () => {
  await using q = queuectl();
  using server = receiver();
  server.answer = silence;
  await q.ok("alert", "add", "deaths", "--on", "dead", "--webhook", server.url);
  const first = q.start("worker");
  await q.ok("enqueue", "--max-retries", "0", "exit 1");
  await waitUntil("it is under way", () => server.received.length === 1);
  first.kill("SIGTERM");
  await first.exited;
  server.answer = () => new Response("ok");
  await q.ok("worker", "--until-empty");
  expect(server.received).toHaveLength(2);
  expect(await q.json("alert", "list")).toMatchObject([{ waiting: 0, last: { state: "sent", tries: 1 } }]);
});

test("each death is told once, however many workers there are", async () => {
  await using q = queuectl();
  using server = receiver();
  await q.ok("alert", "add", "deaths", "--on", "dead", "--gather", "0", "--webhook", server.url);
  for (let n = 0; n < 3; n++) q.start("worker", "--count", "2");
  const jobs = Array.from({ length: 40 }, (_, n) => `{"id": "j${n}", "command": "exit 1", "max_retries": 0}`);
  await q.with({ stdin: jobs.join("\n") }, "enqueue", "--file", "-");
  await waitUntil("all are told", () => idsIn(server.received).length >= 40, 60_000);
  expect(new Set(idsIn(server.received)).size).toBe(40);
  expect(new Set(server.received.map(({ headers }) => headers["webhook-id"])).size).toBe(40);
});

test("a receiver that does not answer keeps no other alert waiting, however many messages there are for it", async () => {
  await using q = queuectl();
  using silent = receiver();
  silent.answer = silence;
  using server = receiver();
  const onDead = ["--on", "dead", "--gather", "0"];
  await q.ok("alert", "add", "unheard", ...onDead, "--queue", "many", "--webhook", silent.url);
  await q.ok("alert", "add", "heard", ...onDead, "--queue", "one", "--webhook", server.url);
  const failing = { command: "exit 1", queue: "many", max_retries: 0 };
  const file = join(q.folder, "many.json");
  await Bun.write(file, JSON.stringify(Array(20).fill(failing)));
  await q.ok("enqueue", "--file", file);
  q.start("worker", "--count", "4");
  await waitUntil("some are under way", () => silent.received.length > 1);
  await q.ok("enqueue", "--queue", "one", "--max-retries", "0", "exit 1");
  await waitUntil("the other is told", () => server.received.length === 1);
  expect(silent.received.length).toBeLessThan(8);
});
