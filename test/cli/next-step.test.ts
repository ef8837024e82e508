// Where there is nothing to show, and where something is missing, the next thing to do is said: on stderr, so that no program reads it.

import { expect, setDefaultTimeout, test } from "bun:test";
import { program as commandLine } from "../../src/cli/program.ts";
import { queuectl } from "../support/queuectl.ts";
import { atTerminal, ctrlC } from "../support/terminal.ts";

setDefaultTimeout(180_000);

test.each([
  [["list"], "queuectl enqueue 'echo hello'"],
  [["list", "--state", "dead"], "queuectl list shows all"],
  [["dlq", "list"], "no job is out of retries"],
  [["dlq"], "no job is out of retries"],
  [["schedule", "list"], "queuectl schedule add"],
  [["schedule"], "queuectl schedule add"],
  [["worker", "list"], "start one: queuectl worker"],
  [["wait", "--all"], "queuectl list"],
])("an empty %j says what to do, and is no failure", async (words, advice) => {
  await using q = queuectl();
  const { status, stdout, stderr } = await q(...words);
  expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
  expect(stderr).toContain(advice);
});

test("status says how to store a first job, and how to have waiting ones run", async () => {
  await using q = queuectl();
  expect((await q("status")).stderr).toContain("queuectl enqueue 'echo hello'");
  expect((await q("status", "--json")).stderr).toBe("");
  await q.ok("enqueue", "true");
  expect((await q("status")).stderr).toContain("start one: queuectl worker");
  await q.ok("worker", "--until-empty");
  expect((await q("status")).stderr).toBe("");
});

test("who leaves something out is told where it is explained", async () => {
  await using q = queuectl();
  const { status, stderr } = await q("schedule", "add", "nightly");
  expect(status).toBe(2);
  expect(stderr).toContain("(queuectl schedule add --help shows how)");
});

test("a word that other programs have for it is answered with ours", async () => {
  await using q = queuectl();
  expect(await q("ls")).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("did you mean queuectl list?"),
  });
  expect((await q("pause", "media")).stderr).toContain("did you mean queuectl queue pause or queuectl hold?");
  for (const ours of [...commandLine.synonyms!.values()].flat())
    expect((await q(...ours.split(" "), "--help")).status).toBe(0);
});

test("at a terminal, a worker says how to stop it, and dead letters what to do with them", async () => {
  await using q = queuectl();
  await q("run", "false", "--max-retries", "0", "--id", "broken");
  const list = atTerminal(q, ["dlq", "list"]);
  expect(await list.exited()).toBe(0);
  expect(list.shown()).toContain("queuectl dlq retry <id>");
  const worker = atTerminal(q, ["worker"]);
  await worker.shows("Ctrl-C stops it");
  await worker.shows("waiting for jobs");
  worker.type(ctrlC);
  expect(await worker.exited()).toBe(0);
});
