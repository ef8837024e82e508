// Alerts on the dashboard and in the API, against the running server.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { receiver } from "../support/receiver.ts";
import { webServer } from "../support/web-server.ts";

setDefaultTimeout(180_000);

const text = (markup: string) => markup.replace(/<[^>]*>/g, " ").replace(/\s+/g, " ");
const address = (port: number) => `http://me:passw0rd@127.0.0.1:${port}/s3cret-path?key=s3cret-key`;
const secrets = ["passw0rd", "s3cret-path", "s3cret-key"];

describe("on the dashboard", () => {
  test("a webhook is added, and its secret shown on the page that says so and nowhere else", async () => {
    await using web = await webServer();
    using server = receiver();
    expect(await (await web.get("/alerts")).text()).toContain("There is no alert");
    const fields = { name: "deaths", dead: "yes", by: "webhook", to: address(server.port), queue: "mail" };
    const added = await web.post("/alerts", fields);
    expect(added.status).toBe(200);
    const [secret] = /whsec_[A-Za-z0-9+/=]+/.exec(await added.text())!;
    expect(await web.q.json("alert", "list")).toMatchObject([
      {
        name: "deaths",
        on: ["dead"],
        queue: "mail",
        by: "webhook",
        to: `127.0.0.1:${server.port}`,
        gather: 60,
      },
    ]);
    const pages = ["/alerts", "/alerts/deaths", "/p/alerts", "/confirm/delete-alert/deaths"];
    for (const path of pages) {
      const page = await (await web.get(path)).text();
      expect(page).toContain(`127.0.0.1:${server.port}`);
      for (const hidden of [secret, ...secrets]) expect(page).not.toContain(hidden);
    }
    const audit = readFileSync(join(web.q.home, "logs", "web-audit.log"), "utf8");
    expect(audit).toContain('"action":"alert add","ids":["deaths"]');
    for (const hidden of [secret, ...secrets]) expect(audit).not.toContain(hidden);
  });

  test("a command is looked at before it is added, and one with what cannot be seen has to be meant", async () => {
    await using web = await webServer();
    const fields = { name: "mine", completed: "yes", by: "command", to: "echo <b>\u202e" };
    const preview = await web.post("/alerts", fields);
    expect(preview.status).toBe(200);
    expect(await preview.text()).toContain("echo &lt;b&gt;");
    expect((await web.post("/alerts", { ...fields, step: "add" })).status).toBe(422);
    expect(await web.q.json("alert", "list")).toEqual([]);
    expect(await (await web.post("/alerts", { ...fields, step: "change" })).text()).toContain('value="mine"');
    expect((await web.post("/alerts", { ...fields, step: "add", sure: "yes" })).status).toBe(303);
    expect(await web.q.json("alert", "list")).toMatchObject([{ name: "mine", by: "command" }]);
    expect(await (await web.get("/alerts/mine")).text()).not.toContain("<b>");
  });

  test("what is wrong is said above the form, which keeps what was typed", async () => {
    await using web = await webServer();
    const fields = { name: "deaths", dead: "yes", by: "email", to: "me@example.org", queue: "mail" };
    await web.q.ok("alert", "add", "taken", "--on", "dead", "--email", "me@example.org");
    for (const [wrong, says] of [
      [{ name: "a b" }, "not a name of an alert"],
      [{ name: "taken" }, "already"],
      [{ dead: "" }, "does not say what to tell of"],
      [{ slow: "yes" }, "slow needs longer_than"],
      [{ slow: "yes", longer_than: "soon" }, "“Long is longer than” cannot be"],
      [
        { backlog: "yes", more_than: "many" },
        "“Backed up by more than” cannot be &quot;many&quot;: it is a whole number",
      ],
      [{ gather: "never" }, "“Gathered into one message” cannot be"],
      [{ by: "pigeon" }, "by cannot be"],
      [{ to: "nobody" }, "not an e-mail address"],
    ] as const) {
      const answer = await web.post("/alerts", { ...fields, ...wrong });
      expect(answer.status).toBe(422);
      const page = await answer.text();
      expect(text(page)).toContain(says);
      expect(page).toContain('value="mail"');
    }
    expect(await web.q.json("alert", "list")).toHaveLength(1);
  });

  test("one is tested, paused and resumed at once, and deleted after a question", async () => {
    await using web = await webServer();
    using server = receiver();
    await web.q.ok("alert", "add", "deaths", "--on", "dead", "--slack", address(server.port));
    expect((await web.post("/alerts/deaths/test", {})).status).toBe(303);
    expect(server.received).toHaveLength(1);
    server.answer = () => new Response("no <i>", { status: 404 });
    const refused = await web.post("/alerts/deaths/test", {});
    expect(refused.status).toBe(502);
    const page = await refused.text();
    expect(page).toContain("404 Not Found: no &lt;i&gt;");
    for (const hidden of secrets) expect(page).not.toContain(hidden);
    await web.post("/alerts/deaths/pause", {});
    expect(text(await (await web.get("/alerts")).text())).toContain("paused");
    await web.post("/alerts/deaths/resume", {});
    expect((await web.q.json("alert", "list"))[0].paused).toBe(false);
    expect(await (await web.get("/confirm/delete-alert/deaths")).text()).toContain("Delete the alert");
    const deleted = await web.post("/alerts/deaths/delete", { back: "/alerts/deaths" });
    expect(deleted.headers.get("location")).toStartWith("/alerts?");
    expect(await web.q.json("alert", "list")).toEqual([]);
    expect((await web.post("/alerts/deaths/pause", {})).status).toBe(404);
    expect((await web.post("/alerts/deaths/frighten", {})).status).toBe(404);
  });

  test("its messages are shown with what came back, as text", async () => {
    await using web = await webServer();
    using server = receiver();
    server.answer = () => new Response("<script>alert(1)</script>", { status: 500 });
    await web.q.ok("alert", "add", "deaths", "--on", "dead", "--webhook", address(server.port));
    await web.q.ok("enqueue", "--id", "bad", "--max-retries", "0", "exit 3");
    await web.q.ok("worker", "--until-empty");
    for (const path of ["/alerts", "/alerts/deaths"]) {
      const page = await (await web.get(path)).text();
      expect(page).toContain("&lt;script&gt;alert(1)");
      expect(page).not.toContain("<script>alert(1)");
    }
    const shown = text(await (await web.get("/alerts/deaths")).text());
    expect(shown).toContain("job bad is dead after 1 attempt: exit status 3");
    expect(shown).toContain("waiting");
  });

  test("the mail server's password is on no page, also when it is refused, and not in the audit", async () => {
    await using web = await webServer();
    const server = "smtp://me:passw0rd@mail.example.org";
    expect((await web.post("/settings/smtp_url", { value: server })).status).toBe(303);
    expect((await web.api("PUT", "/settings/smtp_url", { value: server })).status).toBe(200);
    const answers = [
      await web.get("/settings"),
      await web.post("/settings/smtp_url", { value: "ftp://me:passw0rd@x" }),
      await web.post("/settings/smtp_url", { value: "" }),
      await web.api("GET", "/settings"),
      await web.api("GET", "/settings/smtp_url"),
      await web.api("PUT", "/settings/smtp_url", { value: "ftp://me:passw0rd@x" }),
    ];
    const texts = await Promise.all(answers.map((answer) => answer.text()));
    expect(texts[0]).toContain("smtp://***@mail.example.org");
    expect(texts[4]).toContain("smtp://***@mail.example.org");
    const audit = readFileSync(join(web.q.home, "logs", "web-audit.log"), "utf8");
    for (const one of [...texts, audit]) expect(one).not.toContain("passw0rd");
    expect(await web.q.ok("config", "get", "smtp_url")).toBe("smtp://***@mail.example.org");
  });
});

const body = { name: "deaths", on: ["dead"], by: "email", to: "me@example.org" };

describe("in the API", () => {
  test("alerts are added, listed, shown, tested, paused, resumed and deleted", async () => {
    await using web = await webServer();
    using server = receiver();
    const wanted = { ...body, by: "webhook", to: address(server.port) };
    const added = await web.api("POST", "/alerts", wanted);
    expect([added.status, added.headers.get("location")]).toEqual([201, "/api/v1/alerts/deaths"]);
    const { secret, ...alert } = (await added.json()) as { secret: string };
    expect(secret).toStartWith("whsec_");
    expect(alert).toMatchObject({ name: "deaths", to: `127.0.0.1:${server.port}`, gather: 60 });
    expect(await (await web.api("GET", "/alerts")).json()).toEqual({ data: [alert], next: null });
    expect(await (await web.api("GET", "/alerts/deaths")).json()).toEqual({ ...alert, deliveries: [] });
    expect(await (await web.api("POST", "/alerts/deaths/test")).json()).toEqual({ answer: "200 OK: ok" });
    expect(server.received[0]!.json.type).toBe("alert.test");
    server.answer = () => new Response("", { status: 500 });
    expect((await web.api("POST", "/alerts/deaths/test")).status).toBe(502);
    expect(await (await web.api("POST", "/alerts/deaths/pause")).json()).toMatchObject({ paused: true });
    expect(await (await web.api("POST", "/alerts/deaths/resume")).json()).toMatchObject({ paused: false });
    expect((await web.api("DELETE", "/alerts/deaths")).status).toBe(204);
    expect((await web.api("GET", "/alerts/deaths")).status).toBe(404);
  });

  test("a secret that was given is not given back", async () => {
    await using web = await webServer();
    const given = { ...body, by: "webhook", to: "https://example.org/", secret: btoa("x".repeat(30)) };
    expect(await (await web.api("POST", "/alerts", given)).json()).not.toHaveProperty("secret");
  });

  for (const [wrong, status] of [
    [{ on: ["died"] }, 422],
    [{ on: [] }, 422],
    [{ on: undefined }, 422],
    [{ by: "pigeon" }, 422],
    [{ to: "nobody" }, 422],
    [{ secret: "x" }, 422],
    [{ more_than: 5 }, 422],
    [{ extra: 1 }, 422],
    [{ name: "taken" }, 409],
  ] as const) {
    test(`${JSON.stringify(wrong)} is refused with ${status}`, async () => {
      await using web = await webServer();
      await web.q.ok("alert", "add", "taken", "--on", "dead", "--email", "me@example.org");
      expect((await web.api("POST", "/alerts", { ...body, ...wrong })).status).toBe(status);
      expect(await web.q.json("alert", "list")).toHaveLength(1);
    });
  }

  test("a token to read sees alerts and changes none, one to operate adds none", async () => {
    await using web = await webServer({ words: ["--require-token"] });
    const token = (scope: string) => web.q.ok("web", "token", "--scope", scope);
    const [read, operate] = [await token("read"), await token("operate")].map((one) => ({
      authorization: `Bearer ${one}`,
    }));
    expect((await web.api("GET", "/alerts", undefined, read)).status).toBe(200);
    expect((await web.api("POST", "/alerts/a/pause", undefined, read)).status).toBe(403);
    expect((await web.api("POST", "/alerts/a/test", undefined, read)).status).toBe(403);
    expect((await web.api("POST", "/alerts", body, operate)).status).toBe(403);
    expect((await web.post("/alerts", { name: "a" }, operate)).status).toBe(403);
  });
});
