// Alerts that run a command.

import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { send } from "../../src/alerts/send.ts";
import { testMessage } from "../../src/domain/alert-message.ts";
import { effectiveSettings } from "../../src/domain/settings.ts";
import { isRunning } from "../support/is-running.ts";
import { sampleAlert } from "../support/sample-alerts.ts";
import { tempFolder } from "../support/temp-home.ts";
import { waitUntil } from "../support/wait-until.ts";

setDefaultTimeout(180_000);

const letter = { id: "msg_1", message: JSON.stringify(testMessage("deaths", 0)) };

const run = (folder: string, target: string, signal?: AbortSignal) =>
  send(sampleAlert({ channel: "command", target, cwd: folder }), letter, {
    home: folder,
    environment: { PATH: process.env.PATH!, MINE: "1", QUEUECTL_JOB_ID: "another" },
    settings: effectiveSettings({}, {}),
    ...(signal ? { signal } : {}),
  });

test("a command gets the message on stdin, and in its environment what it is about", async () => {
  using folder = tempFolder();
  const reply = await run(folder.path, "cat > message; env > variables");
  expect(reply).toEqual({ kind: "accepted", answer: "exit status 0" });
  expect(readFileSync(join(folder.path, "message"), "utf8")).toBe(letter.message);
  const variables = readFileSync(join(folder.path, "variables"), "utf8").split("\n");
  expect(variables).toContain("QUEUECTL_ALERT=deaths");
  expect(variables).toContain("QUEUECTL_EVENT=alert.test");
  expect(variables).toContain("QUEUECTL_DELIVERY_ID=msg_1");
  expect(variables).toContain("MINE=1");
  expect(variables.filter((line) => line.startsWith("QUEUECTL_JOB_ID"))).toEqual([]);
});

test("it need not read it", async () => {
  using folder = tempFolder();
  expect((await run(folder.path, "exec <&-; true")).kind).toBe("accepted");
});

test.each([
  ["exit 3", "exit status 3"],
  ["kill -9 $$", "it was ended by SIGKILL"],
  ["no-such-command-at-all", "exit status 127"],
])("%p failed: %s", async (command, answer) => {
  using folder = tempFolder();
  expect(await run(folder.path, command)).toEqual({ kind: "refused", answer });
});

test("a directory that is gone is a failure", async () => {
  expect(await run("/no/such/place", "true")).toMatchObject({ kind: "refused" });
});

test("a directory that cannot be looked at is a failure that says why", async () => {
  using folder = tempFolder();
  symlinkSync("round", join(folder.path, "round"));
  for (const cwd of [join(folder.path, "round"), `/${"x".repeat(5000)}`]) {
    const { kind, answer } = await run(cwd, "true");
    expect({ kind, answer }).toEqual({
      kind: "refused",
      answer: expect.stringContaining("the directory may not be entered: /"),
    });
    expect(answer.length).toBeLessThanOrEqual(200);
  }
});

test("what is too long to be handed over is a failure that says why", async () => {
  using folder = tempFolder();
  const { kind, answer } = await run(folder.path, `: ${"x".repeat(200_000)}`);
  expect({ kind, answer }).toEqual({
    kind: "refused",
    answer: expect.stringMatching(/too (long|big|large)|E2BIG/i),
  });
  expect(answer.length).toBeLessThanOrEqual(200);
});

test("what it leaves behind is ended with it", async () => {
  using folder = tempFolder();
  await run(folder.path, "sleep 1000 & echo $! > pid");
  expect(isRunning(Number(readFileSync(join(folder.path, "pid"), "utf8")))).toBe(false);
});

test("one that is broken off is ended with all it started", async () => {
  using folder = tempFolder();
  const stop = new AbortController();
  const running = run(folder.path, "setsid sleep 1000 & echo $! > pid; sleep 1000", stop.signal);
  const pid = () => Number(readFileSync(join(folder.path, "pid"), "utf8"));
  await waitUntil("it runs", () => {
    try {
      return pid() > 0;
    } catch {
      return false;
    }
  });
  stop.abort();
  expect(await running).toEqual({ kind: "refused", answer: "no answer within 10 s" });
  await waitUntil("it is gone", () => !isRunning(pid()));
});

test.skipIf(process.platform !== "linux")(
  "does not run beside what a killed worker's try of the same message left",
  async () => {
    using folder = tempFolder();
    const earlier = run(folder.path, "echo $$ > pid; sleep 1000");
    const pid = () => Number(readFileSync(join(folder.path, "pid"), "utf8"));
    await waitUntil("it runs", () => existsSync(join(folder.path, "pid")) && pid() > 0);
    expect(await run(folder.path, `kill -0 ${pid()}`)).toEqual({ kind: "refused", answer: "exit status 1" });
    expect(await earlier).toEqual({ kind: "refused", answer: "it was ended by SIGTERM" });
  },
);
