// queuectl alert, as a user calls it.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";
import { type Queuectl, queuectl } from "../support/queuectl.ts";
import { receiver, silence } from "../support/receiver.ts";
import { smtpServer } from "../support/smtp-server.ts";
import { waitUntil } from "../support/wait-until.ts";

// Real processes on a shared machine: what never comes fails late rather than what comes slowly fails early.
setDefaultTimeout(180_000);

const filesOf = (q: Queuectl) =>
  [...new Glob("**/*").scanSync({ cwd: q.home, dot: true })]
    .filter((path) => !path.startsWith("queue.db"))
    .map((path) => readFileSync(join(q.home, path), "utf8"));

describe("an alert", () => {
  test("is added, shown, paused, resumed and deleted", async () => {
    await using q = queuectl();
    expect(await q.ok("alert", "add", "deaths", "--on", "dead", "--email", "a@example.org")).toBe("deaths");
    const [alert] = await q.json("alert", "list");
    expect(alert).toMatchObject({
      name: "deaths",
      on: ["dead"],
      by: "email",
      to: "a@example.org",
      gather: 60,
      paused: false,
      untold: 0,
      waiting: 0,
      given_up: 0,
      last: null,
    });
    expect(await q.json("alert", "show", "deaths")).toEqual({ ...alert, deliveries: [] });
    await q.ok("alert", "pause", "deaths");
    expect((await q.json("alert", "list"))[0].paused).toBe(true);
    await q.ok("alert", "resume", "deaths");
    expect((await q.json("alert", "list"))[0].paused).toBe(false);
    expect((await q("alert", "delete", "deaths")).stderr).toBe("alert deaths is deleted\n");
    expect(await q.json("alert", "list")).toEqual([]);
  });

  test("tells a webhook of a job that dies, signed by the secret of a file", async () => {
    await using q = queuectl();
    using server = receiver();
    const secret = Buffer.alloc(32, 7).toString("base64");
    await Bun.write(join(q.folder, "secret"), `whsec_${secret}\n`);
    const added = await q(
      ...["alert", "add", "deaths", "--on", "dead", "--webhook", `${server.url}/hook`],
      ...["--secret-file", "secret"],
    );
    expect(added).toEqual({ status: 0, stdout: "deaths\n", stderr: "" });
    await q.ok("enqueue", "--id", "bad", "--max-retries", "0", "exit 3");
    await q.ok("worker", "--until-empty");
    const [got] = server.received;
    expect(got!.json).toMatchObject({ type: "job.dead", data: { jobs: [{ id: "bad", last_exit_code: 3 }] } });
    const { "webhook-id": id, "webhook-timestamp": time, "webhook-signature": signature } = got!.headers;
    const hash = new Bun.CryptoHasher("sha256", Buffer.from(secret, "base64"));
    expect(signature).toBe(`v1,${hash.update(`${id}.${time}.${got!.body}`).digest("base64")}`);
    expect(await q.json("alert", "show", "deaths")).toMatchObject({
      waiting: 0,
      last: { state: "sent", tries: 1, answer: "200 OK: ok" },
      deliveries: [{ id, event: "dead", message: { type: "job.dead" } }],
    });
  });

  test("tells by e-mail", async () => {
    await using q = queuectl();
    using server = smtpServer();
    await q.ok("config", "set", "smtp_url", `smtp://127.0.0.1:${server.port}`);
    await q.ok("config", "set", "mail_from", "queue@example.org");
    await q.ok("alert", "add", "done", "--on", "completed", "--tag", "x", "--email", "me@example.org");
    await q.ok("enqueue", "--id", "other", "true");
    await q.ok("enqueue", "--id", "fine", "--tag", "x", "true");
    await q.ok("worker", "--until-empty");
    expect(server.mails).toHaveLength(1);
    expect(server.mails[0]!.data).toMatch(/^Subject: queuectl: job fine completed/m);
  });

  test("tells of a slow run while it runs, once, and of a queue that backs up", async () => {
    await using q = queuectl();
    using server = receiver();
    await q.ok(
      ...[
        "alert",
        "add",
        "late",
        "--on",
        "slow",
        "--longer-than",
        "1s",
        "--on",
        "backlog",
        "--more-than",
        "1",
      ],
      ...["--gather", "0", "--webhook", server.url],
    );
    await q.ok("enqueue", "--id", "long", "--priority", "5", "while [ ! -e go ]; do sleep 0.1; done");
    for (const id of ["b", "c"]) await q.ok("enqueue", "--id", id, "true");
    const worker = q.start("worker");
    await waitUntil("both are told", () => server.received.length === 2);
    const told = Object.fromEntries(server.received.map(({ json }) => [json.type, json.data]));
    expect(told["queue.backlog"].queues).toMatchObject([{ queue: "default" }]);
    expect(told["job.slow"].jobs).toMatchObject([{ id: "long", state: "processing" }]);
    await Bun.write(join(q.folder, "go"), "");
    await q.ok("wait", "b", "c");
    worker.kill("SIGTERM");
    await worker.exited;
    expect(server.received).toHaveLength(2);
  });

  test("whose receiver does not answer keeps no job waiting", async () => {
    await using q = queuectl();
    using server = receiver();
    server.answer = silence;
    await q.ok("alert", "add", "all", "--on", "completed", "--gather", "0", "--webhook", server.url);
    const worker = q.start("worker", "--count", "2");
    await q.ok("enqueue", "--id", "first", "true");
    await waitUntil("the receiver was asked", () => server.received.length > 0);
    const jobs = Array.from({ length: 30 }, (_, n) => `{"id": "j${n}", "command": "true"}`).join("\n");
    await q.with({ stdin: jobs }, "enqueue", "--file", "-");
    await waitUntil("all ran", async () => (await q.json("status")).completed === 31);
    worker.kill("SIGTERM");
    expect(await worker.exited).toBe(0);
    expect((await q.json("alert", "list"))[0]).toMatchObject({ given_up: 0 });
  });
});

describe("alert test", () => {
  test("sends a message at once and says what came back", async () => {
    await using q = queuectl();
    using server = receiver();
    await q.ok("alert", "add", "deaths", "--on", "dead", "--webhook", server.url);
    const fine = await q("alert", "test", "deaths");
    expect(fine).toMatchObject({ status: 0, stdout: "" });
    expect(fine.stderr).toBe(`alert deaths told 127.0.0.1:${server.port}: 200 OK: ok\n`);
    expect(server.received[0]!.json).toMatchObject({ type: "alert.test", data: { alert: "deaths" } });
    server.answer = () => new Response("no_service", { status: 404 });
    const refused = await q("alert", "test", "deaths");
    expect(refused.status).toBe(1);
    expect(refused.stderr).toBe(
      `queuectl: alert deaths could not tell 127.0.0.1:${server.port}: 404 Not Found: no_service\n`,
    );
  });

  test("shows what a command complains of", async () => {
    await using q = queuectl();
    await q.ok("alert", "add", "mine", "--on", "dead", "--command", "echo broken >&2; exit 4");
    const { status, stderr } = await q("alert", "test", "mine");
    expect(status).toBe(1);
    expect(stderr).toContain("broken\n");
    expect(stderr).toContain("exit status 4");
  });
});

describe("secrets", () => {
  test("of an alert are shown once at most, and stand in no list, log or file but the database", async () => {
    await using q = queuectl();
    using server = receiver();
    server.answer = () => new Response("no", { status: 500 });
    const address = `http://user:passw0rd@127.0.0.1:${server.port}/s3cret-path?key=s3cret-key`;
    const added = await q("alert", "add", "deaths", "--on", "dead", "--webhook", address);
    const secret = /whsec_\S+/.exec(added.stderr)![0];
    const again = await q.json("alert", "add", "json", "--on", "dead", "--webhook", address);
    expect(again.secret).toStartWith("whsec_");
    await q.ok("alert", "add", "chat", "--on", "dead", "--slack", address);
    await q.ok("enqueue", "--max-retries", "0", "exit 1");
    await q.ok("worker", "--until-empty");
    const outputs = [
      await q("alert", "list"),
      await q("alert", "list", "--json"),
      await q("alert", "show", "deaths"),
      await q("alert", "show", "chat", "--json"),
      await q("alert", "test", "deaths"),
      await q("doctor"),
    ].map(({ stdout, stderr }) => stdout + stderr);
    const texts = [...outputs, ...filesOf(q)];
    expect(texts.join("\n")).toContain("500 Internal Server Error");
    for (const hidden of [secret, again.secret, "passw0rd", "s3cret-path", "s3cret-key"])
      expect(texts.filter((text) => text.includes(hidden))).toEqual([]);
  });

  test("of the mail server reach no job, also when the worker has them in its environment", async () => {
    await using q = queuectl({ QUEUECTL_SMTP_URL: "smtp://me:passw0rd@mail.example.org" });
    await q.ok("enqueue", "--id", "env", "env");
    await q.ok("worker", "--until-empty");
    const printed = await q.ok("logs", "env");
    expect(printed).toContain("QUEUECTL_JOB_ID=env");
    expect(printed).not.toContain("passw0rd");
  });

  test("of the mail server are in no list either", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "smtp_url", "smtps://me:passw0rd@mail.example.org:465");
    for (const words of [["show"], ["show", "--json"], ["get", "smtp_url"], ["get", "smtp_url", "--json"]]) {
      const { stdout, stderr } = await q("config", ...words);
      expect(stdout + stderr).toContain("smtps://***@mail.example.org:465");
      expect(stdout + stderr).not.toContain("passw0rd");
    }
    const refused = await q("config", "set", "smtp_url", "ftp://me:passw0rd@x");
    expect(refused.status).toBe(2);
    expect(refused.stderr).not.toContain("passw0rd");
  });
});

describe("used wrongly", () => {
  test.each([
    [["add"], "something is missing"],
    [["add", "a", "--on", "dead"], "does not say where to tell"],
    [["add", "a", "--on", "dead", "--email", "a@b.c", "--command", "true"], "goes one way, not 2"],
    [["add", "a", "--email", "a@b.c"], "does not say what to tell of"],
    [["add", "a", "--on", "died", "--email", "a@b.c"], "it is dead, completed, slow or backlog"],
    [["add", "a", "--on", "slow", "--email", "a@b.c"], "slow needs longer_than"],
    [["add", "a", "--on", "slow", "--longer-than", "x", "--email", "a@b.c"], "--longer-than cannot be"],
    [["add", "a", "--on", "backlog", "--more-than", "x", "--email", "a@b.c"], "--more-than cannot be"],
    [["add", "a", "--on", "dead", "--gather", "3d", "--email", "a@b.c"], "259200 (3d): it is 0 to 1d"],
    [["add", "a", "--on", "slow", "--longer-than", "4000d", "--email", "a@b.c"], "(4000d): it is"],
    [["add", "a", "--on", "dead", "--webhook", "nowhere"], "https:// or http://"],
    [["add", "a", "--on", "dead", "--slack", "https://x/y", "--secret-file", "f"], "is for --webhook"],
    [["delet", "a"], "alert delet"],
  ])("%j: exit status 2", async (words, message) => {
    await using q = queuectl();
    const { status, stdout, stderr } = await q("alert", ...words);
    expect({ status, stdout, stderr }).toEqual({
      status: 2,
      stdout: "",
      stderr: expect.stringContaining(message),
    });
    expect(await q.json("alert", "list")).toEqual([]);
  });

  test("a name that is taken, or that nobody has, is refused with 1", async () => {
    await using q = queuectl();
    await q.ok("alert", "add", "a", "--on", "dead", "--email", "a@b.c");
    for (const words of [
      ["add", "a", "--on", "dead", "--email", "a@b.c"],
      ["add", "b", "--on", "dead", "--webhook", "http://x/", "--secret-file", "no-such-file"],
      ["show", "b"],
      ["test", "b"],
      ["pause", "a", "b"],
      ["delete", "a", "b"],
    ])
      expect((await q("alert", ...words)).status).toBe(1);
    expect(await q.json("alert", "list")).toMatchObject([{ name: "a", paused: false }]);
  });
});
