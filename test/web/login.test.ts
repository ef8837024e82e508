// Logging in with a token, and out; links that work once; and how often one may be wrong.

import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { queuectl } from "../support/queuectl.ts";
import { type WebServer, webServer } from "../support/web-server.ts";

setDefaultTimeout(180_000);

const guarded = () => webServer({ words: ["--require-token"] });
const cookieOf = (answer: Response) => answer.headers.get("set-cookie")?.split(";")[0] ?? "";

async function loggedIn(web: WebServer): Promise<string> {
  const answer = await web.post("/login", { token: await web.q.ok("web", "token"), next: "/jobs" });
  expect(answer.status).toBe(303);
  expect(answer.headers.get("location")).toBe("/jobs");
  return cookieOf(answer);
}

test("the token opens a session whose cookie no script and no other site gets (D10)", async () => {
  await using web = await guarded();
  const answer = await web.post("/login", { token: await web.q.ok("web", "token") });
  expect(answer.headers.get("set-cookie")).toMatch(
    new RegExp(`^qctl_${web.port}=[\\w-]{43}; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict$`),
  );
  expect((await web.get("/", { cookie: cookieOf(answer) })).status).toBe(200);
});

test("a browser that came by TLS to a proxy sends its cookie by nothing else (D10)", async () => {
  await using web = await guarded();
  const token = await web.q.ok("web", "token");
  for (const proto of ["https", "https, http"]) {
    const answer = await web.post("/login", { token }, { "x-forwarded-proto": proto });
    expect(answer.headers.get("set-cookie")).toEndWith("; SameSite=Strict; Secure");
  }
  const plain = await web.post("/login", { token }, { "x-forwarded-proto": "http" });
  expect(plain.headers.get("set-cookie")).toEndWith("; SameSite=Strict");
});

test("logging out ends the session, also for who kept the cookie", async () => {
  await using web = await guarded();
  const cookie = await loggedIn(web);
  expect((await web.post("/logout", {}, { cookie })).headers.get("set-cookie")).toContain("Max-Age=0");
  expect((await web.get("/", { cookie })).status).toBe(303);
});

test("a rotated token ends its sessions at once", async () => {
  await using web = await guarded();
  const cookie = await loggedIn(web);
  await web.q.ok("web", "token", "--rotate");
  expect((await web.get("/", { cookie })).status).toBe(303);
});

test("the link that is printed logs in once, for everything, and leaves no code in the address", async () => {
  await using q = queuectl();
  // A token that may less comes first in the file.
  await q.ok("web", "token", "--scope", "read");
  await using web = await webServer({ q, words: ["--require-token"] });
  await web.process.says("/login?code=");
  const link = /https?:\/\/\S+(\/login\?code=\S+)/.exec(web.process.stderr())![1]!;
  const first = await web.get(link);
  expect([first.status, first.headers.get("location")]).toEqual([303, "/"]);
  expect((await web.get("/enqueue", { cookie: cookieOf(first) })).status).toBe(200);
  expect((await web.get(link)).status).toBe(401);
});

test("codes that are guessed count as wrong tokens, and are answered as late (D11)", async () => {
  await using web = await guarded();
  await web.process.says("/login?code=");
  const link = /https?:\/\/\S+(\/login\?code=\S+)/.exec(web.process.stderr())![1]!;
  const begun = performance.now();
  const guesses = Array.from({ length: 10 }, (_, n) => web.get(`/login?code=${n}`));
  for (const answer of await Promise.all(guesses)) expect(answer.status).toBe(401);
  expect(performance.now() - begun).toBeGreaterThan(290);
  expect((await web.get(link)).status).toBe(429);
});

test("below a path of a shared server the cookie goes to that path alone (D10)", async () => {
  await using web = await webServer({ words: ["--require-token", "--base-path", "/queue"] });
  const answer = await web.post("/login", { token: await web.q.ok("web", "token") });
  expect(answer.headers.get("location")).toBe("/queue/");
  expect(answer.headers.get("set-cookie")).toContain("; Path=/queue; ");
});

test("a login leads nowhere but to a page of ours", async () => {
  await using web = await guarded();
  const token = await web.q.ok("web", "token");
  for (const next of [
    "//evil.example",
    "https://evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/a\r\nSet-Cookie: x=y",
    "javascript:alert(1)",
  ]) {
    expect((await web.post("/login", { token, next })).headers.get("location")).toBe("/");
  }
});

test("ten wrong tokens in a minute, and the address has to wait (D11), whatever it says of itself (D24)", async () => {
  await using web = await guarded();
  const attempts = Array.from({ length: 10 }, (_, n) =>
    web.post("/login", { token: "wrong" }, { "x-forwarded-for": `10.0.0.${n}` }),
  );
  for (const answer of await Promise.all(attempts)) expect(answer.status).toBe(401);
  const answer = await web.post(
    "/login",
    { token: await web.q.ok("web", "token") },
    { "x-forwarded-for": "10.9.9.9" },
  );
  expect(answer.status).toBe(429);
  expect(Number(answer.headers.get("retry-after"))).toBeWithin(1, 61);
});

test("behind a proxy that is trusted a wrong token is that of the address it names (D24)", async () => {
  await using web = await webServer({ words: ["--require-token", "--trusted-proxy", "127.0.0.1"] });
  await web.post("/login", { token: "wrong" }, { "x-forwarded-for": "6.6.6.6, 198.51.100.9" });
  const audit = readFileSync(join(web.q.home, "logs", "web-audit.log"), "utf8");
  expect(JSON.parse(audit)).toMatchObject({ action: "login refused", address: "198.51.100.9" });
});

test("wrong tokens that were all begun before the first was refused have to wait as well (D11)", async () => {
  await using web = await guarded();
  const fields = "token=wrong";
  const head = `POST /login HTTP/1.1\r\nhost: 127.0.0.1:${web.port}\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: ${fields.length}\r\n\r\n`;
  const answers: Promise<string>[] = [];
  const sockets = Array.from({ length: 20 }, () => {
    const socket = connect(web.port, "127.0.0.1");
    answers.push(
      new Promise((resolve) => socket.once("data", (bytes) => resolve(String(bytes).slice(9, 12)))),
    );
    socket.write(`${head}${fields.slice(0, -1)}`);
    return socket;
  });
  // That all have arrived shows nowhere; what comes after them is answered after them.
  expect((await web.get("/login")).status).toBe(200);
  for (const socket of sockets) socket.write(fields.slice(-1));
  const statuses = await Promise.all(answers);
  for (const socket of sockets) socket.destroy();
  expect(statuses.filter((status) => status === "401").length).toBe(10);
  expect(statuses.filter((status) => status === "429").length).toBe(10);
});

test("a wrong token is shown nowhere, and neither is the right one", async () => {
  await using web = await guarded();
  const token = await web.q.ok("web", "token");
  const wrong = await web.post("/login", { token: "secret-guess" });
  expect(await wrong.text()).not.toContain("secret-guess");
  await loggedIn(web);
  const audit = readFileSync(join(web.q.home, "logs", "web-audit.log"), "utf8");
  expect(audit).toContain('"action":"login refused"');
  for (const text of [audit, web.process.stderr(), web.process.stdout()]) expect(text).not.toContain(token);
});

test("what asks by script is sent to the login instead of being shown it in a corner", async () => {
  await using web = await guarded();
  const answer = await web.get("/p/jobs?state=dead", { "hx-request": "true" });
  expect(answer.status).toBe(401);
  expect(answer.headers.get("hx-redirect")).toBe("/login?next=%2Fjobs%3Fstate%3Ddead");
  expect(await answer.text()).toBe("");
});

test("a button that was pressed after its session ended leads back to the page it stands on", async () => {
  await using web = await guarded();
  const press = (page: string) =>
    web.post("/jobs/one/retry", {}, { "hx-request": "true", "hx-current-url": page });
  const answer = await press(`${web.url}/jobs?state=dead`);
  expect([answer.status, answer.headers.get("hx-redirect")]).toEqual([
    401,
    "/login?next=%2Fjobs%3Fstate%3Ddead",
  ]);
  for (const page of [`${web.url}/`, "", "about:blank"])
    expect((await press(page)).headers.get("hx-redirect")).toBe("/login");
});

test("a tab that was sent to the login goes on when it is loaded after another tab has logged in", async () => {
  await using web = await guarded();
  expect((await web.get("/login?next=%2Fworkers")).status).toBe(200);
  const cookie = await loggedIn(web);
  const again = await web.get("/login?next=%2Fworkers", { cookie });
  expect([again.status, again.headers.get("location")]).toEqual([303, "/workers"]);
  const evil = await web.get("/login?next=%2F%2Fevil.example", { cookie });
  expect(evil.headers.get("location")).toBe("/");
});
