// Secrets in a job's environment: never shown by the dashboard or the API (D17).

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeGap } from "../../src/gap.ts";
import { openFileLog } from "../../src/store/logs.ts";
import { withoutSecrets } from "../../src/web/log-secrets.ts";
import { tempFolder } from "../support/temp-home.ts";
import { waitUntil } from "../support/wait-until.ts";
import { type WebServer, webServer } from "../support/web-server.ts";

setDefaultTimeout(180_000);

const secret = "tr0ub4dor-and-3";
const password = "correct-horse";

async function withSecrets(): Promise<WebServer> {
  const web = await webServer();
  const command = "echo before; echo is $API_TOKEN and $DB after; printf 'half '; exit 3";
  const env = { API_TOKEN: secret, DB: `postgres://app:${password}@db/shop` };
  await web.api("POST", "/jobs", { id: "one", command, env, max_retries: 0 });
  await web.q.ok("worker", "--until-empty", "--quiet");
  await web.api("POST", "/schedules", { name: "s", cron: "@daily", job: { command, env } });
  return web;
}

test("a secret is in no page, no answer of the API, no log as it is shown, and in nothing the server writes (D17)", async () => {
  await using web = await withSecrets();
  const answers = await Promise.all(
    [
      "/",
      "/jobs",
      "/dlq",
      "/jobs/one",
      "/p/jobs/one",
      "/jobs/one?attempt=1&from=0",
      "/jobs/one/log?attempt=1",
      "/jobs/one/log/stream?attempt=1",
      "/enqueue?like=one",
      "/api/v1/jobs",
      "/api/v1/jobs/one",
      "/api/v1/jobs/one/attempts/1/log",
      "/api/v1/dlq",
      "/schedules",
      "/api/v1/schedules",
      "/api/v1/schedules/s",
      "/metrics",
    ].map(async (path) => (await web.get(path)).text()),
  );
  const retried = await (await web.api("POST", "/jobs/one/retry")).text();
  const audit = readFileSync(join(web.q.home, "logs", "web-audit.log"), "utf8");
  for (const text of [...answers, retried, audit, web.process.stdout(), web.process.stderr()]) {
    expect(text).not.toContain(secret);
    expect(text).not.toContain(password);
  }
  expect(await (await web.api("GET", "/jobs/one")).json()).toMatchObject({
    env: { API_TOKEN: "***", DB: "postgres://app:***@db/shop" },
  });
  const log = await (await web.get("/jobs/one/log?attempt=1")).text();
  expect(log).toContain(
    `is ${"*".repeat(secret.length)} and postgres://app:${"*".repeat(password.length)}@db/shop after`,
  );
  // Its owner sees it all at the terminal.
  expect(await web.q.ok("logs", "one")).toContain(secret);
});

test("a copy of a job has its secrets without ever showing them", async () => {
  await using web = await withSecrets();
  const form = await (await web.get("/enqueue?like=one")).text();
  expect(form).toContain("API_TOKEN=***");
  const fields = {
    command: "true",
    id: "two",
    like: "one",
    env: "API_TOKEN=***\nDB=postgres://app:***@db/shop",
  };
  const preview = await (await web.post("/enqueue", fields)).text();
  expect(preview).not.toContain(secret);
  expect((await web.post("/enqueue", { ...fields, step: "enqueue" })).status).toBe(303);
  expect((await web.q.json("show", "two")).env).toMatchObject({
    API_TOKEN: secret,
    DB: `postgres://app:${password}@db/shop`,
  });
});

describe("a log that is read in pieces", () => {
  test("has its secrets starred out wherever the pieces begin and end, and its length stays", async () => {
    using folder = tempFolder();
    const path = join(folder.path, "log");
    const text = `${secret}\nx${secret}${secret}y\n${secret}`;
    writeFileSync(path, text);
    using log = withoutSecrets(
      openFileLog(path)!,
      { env: { TOKEN: secret }, rules: {} },
      { environment: {} },
    );
    for (let length = 1; length <= text.length; length++) {
      const pieces: Buffer[] = [];
      for (let at = 0; at < text.length; at += length) pieces.push((await log.read(at, length)).bytes);
      expect(Buffer.concat(pieces).toString()).toBe(text.replaceAll(secret, "*".repeat(secret.length)));
    }
  });

  test("has secrets starred out that overlap each other, or themselves", async () => {
    using folder = tempFolder();
    const path = join(folder.path, "log");
    writeFileSync(path, "abcdefghij xyzxyzxyz");
    const env = { A_TOKEN: "abcdefg", B_TOKEN: "defghij", C_TOKEN: "xyzxyz" };
    using log = withoutSecrets(openFileLog(path)!, { env, rules: {} }, { environment: {} });
    expect((await log.read(0, 100)).bytes.toString()).toBe("********** *********");
  });

  test("has what is left of a secret starred out where the rest of it was left out", async () => {
    using folder = tempFolder();
    const path = join(folder.path, "1-1.log");
    const [begun, ended] = [secret.slice(0, 5), secret.slice(-6)];
    const head = `is ${begun}`;
    writeFileSync(path, `${head}${ended} after`);
    writeGap(path, { from: head.length, to: 1000, at: head.length });
    using log = withoutSecrets(
      openFileLog(path)!,
      { env: { TOKEN: secret }, rules: {} },
      { environment: {} },
    );
    const read = async (position: number) => {
      const { start, bytes } = await log.read(position, 100);
      return [start, bytes.toString()];
    };
    expect([await read(0), await read(4), await read(head.length), await read(1002)]).toEqual([
      [0, "is *****"],
      [4, "****"],
      [1000, "****** after"],
      [1002, "**** after"],
    ]);
  });

  test("has starred out what is left of a secret down to its last byte", async () => {
    using folder = tempFolder();
    const path = join(folder.path, "1-1.log");
    writeFileSync(path, `is ${secret.at(0)}${secret.at(-1)} after`);
    writeGap(path, { from: 4, to: 1000, at: 4 });
    using log = withoutSecrets(
      openFileLog(path)!,
      { env: { TOKEN: secret }, rules: {} },
      { environment: {} },
    );
    const read = async (position: number) => (await log.read(position, 100)).bytes.toString();
    expect([await read(0), await read(4)]).toEqual(["is *", "* after"]);
  });

  test("has what is left of a secret starred out where the rest of it is left out while it is read", async () => {
    using folder = tempFolder();
    const path = join(folder.path, "1-1.log");
    writeFileSync(path, `is ${secret.slice(-6)} after`);
    writeGap(path, { from: 3, to: 1000, at: 3 });
    // As it was when it was asked for, before the gap was made.
    using file = openFileLog(path)!;
    const before = { ...file, gap: async () => undefined };
    const log = withoutSecrets(before, { env: { TOKEN: secret }, rules: {} }, { environment: {} });
    const { start, bytes } = await log.read(500, 100);
    expect([start, bytes.toString()]).toEqual([1000, "****** after"]);
  });

  test("has those starred out that are stored nowhere, where they can be had", async () => {
    using folder = tempFolder();
    const path = join(folder.path, "log");
    writeFileSync(path, `${secret} ${password}`);
    writeFileSync(join(folder.path, "pass"), `${password}\n`);
    const rules = { secret_env: ["A", "NOWHERE", `B=@${join(folder.path, "pass")}`] };
    using log = withoutSecrets(openFileLog(path)!, { env: {}, rules }, { environment: { A: secret } });
    const stars = `${"*".repeat(secret.length)} ${"*".repeat(password.length)}`;
    expect((await log.read(0, 100)).bytes.toString()).toBe(stars);
  });

  test("that is being written shows no half of a secret", async () => {
    await using web = await webServer();
    const go = join(web.q.folder, "go");
    const command = `printf 'is tr0ub4dor'; until [ -e ${go} ]; do sleep 0.05; done; printf 'tr0ub4' | tail -c 0; echo '-and-3 end'`;
    await web.api("POST", "/jobs", { id: "one", command, env: { API_TOKEN: secret } });
    web.q.start("worker", "--quiet");
    await waitUntil("it runs", async () => (await web.q.json("show", "one")).state === "processing");
    const answer = await web.get("/jobs/one/log/stream?attempt=1");
    let text = "";
    const reading = (async () => {
      for await (const piece of answer.body!) text += new TextDecoder().decode(piece);
    })();
    await waitUntil("the first half came", () => text.includes('data: "is "'));
    writeFileSync(go, "");
    await reading;
    expect(text).not.toContain("tr0ub4dor");
    expect(text).toContain(`is ${"*".repeat(secret.length)} end`);
  });
});
