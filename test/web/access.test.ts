// Who may reach the dashboard: against the running server, with real connections and real other users.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { scopes } from "../../src/domain/scope.ts";
import { makeApp } from "../../src/web/app.ts";
import { queuectl } from "../support/queuectl.ts";
import { tempFolder } from "../support/temp-home.ts";
import { tempSqlite } from "../support/temp-sqlite.ts";
import { waitUntil } from "../support/wait-until.ts";
import { webOf } from "../support/web-of.ts";
import { webServer } from "../support/web-server.ts";

setDefaultTimeout(180_000);

const isRoot = process.geteuid?.() === 0;
const isLinux = process.platform === "linux";
const lanAddress = Object.values(networkInterfaces())
  .flat()
  .find((one) => one?.family === "IPv4" && !one.internal)?.address;

/** What is sent byte for byte, and what comes back until the server closes. */
function exchange(port: number, text: string, host = "127.0.0.1"): Promise<string> {
  return new Promise((done, fail) => {
    let answer = "";
    const socket = connect(port, host, () => socket.write(text));
    socket.on("data", (data) => {
      answer += data;
    });
    socket.on("close", () => done(answer));
    socket.on("error", fail);
  });
}

const statusOfRaw = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
const rawGet = (headers: string) =>
  `GET / HTTP/1.1\r\n${headers}\r\nConnection: close\r\nAccept: text/html\r\n\r\n`;

/** The TCP ports that a process listens at. */
function listeningPorts(pid: number): number[] {
  const folder = `/proc/${pid}/fd`;
  const sockets = new Set(
    readdirSync(folder).map((fd) => /socket:\[(\d+)\]/.exec(readlinkSync(join(folder, fd)))?.[1]),
  );
  const rows = ["tcp", "tcp6"].flatMap((name) => readFileSync(`/proc/net/${name}`, "utf8").split("\n"));
  return rows.flatMap((row) => {
    const [, local, , state, , , , , , inode] = row.trim().split(/\s+/);
    return state === "0A" && sockets.has(inode) ? [Number.parseInt(local!.slice(-4), 16)] : [];
  });
}

describe("where it listens", () => {
  test.if(lanAddress !== undefined)(
    "by default on loopback alone: the address in the network refuses (D1)",
    async () => {
      await using web = await webServer();
      expect((await web.get("/")).status).toBe(200);
      expect(fetch(`http://${lanAddress}:${web.port}/`)).rejects.toThrow();
    },
  );

  test("a second server on the port says so and ends with 1 (D3)", async () => {
    await using web = await webServer();
    const { status, stdout, stderr } = await web.q("web", "--port", String(web.port));
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/^queuectl: port \d+ is in use[^\n]*\n$/);
  });

  test("a host that is no address of this machine is said so", async () => {
    await using q = queuectl();
    // In a home that is there and in a new one the calls before differ, of which the reason could be taken for that of the name.
    for (const host of ["nosuch.invalid", "192.0.2.1", "nosuch.invalid", ""]) {
      const { status, stderr } = await q("web", "--host", host);
      expect({ status, stderr }).toEqual({
        status: 1,
        stderr: `queuectl: ${JSON.stringify(host)} is no address of this machine (leave out --host, or name one that it has)\n`,
      });
    }
  });

  test("--socket listens at a path that only its owner can open, and at no port (D25)", async () => {
    await using q = queuectl();
    const path = join(q.folder, "own", "web.sock");
    const missing = await q("web", "--socket", path);
    expect([missing.status, existsSync(join(q.folder, "own"))]).toEqual([1, false]);
    expect(missing.stderr).toContain("own does not exist (make a folder that only you can write to)");
    mkdirSync(join(q.folder, "own"), { mode: 0o700 });
    const server = q.start("web", "--socket", path);
    await waitUntil("it listens", () => server.stdout() === `unix:${path}\n`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const ask = (host: string, init: RequestInit = {}) =>
      fetch(`http://${host}/api/v1/jobs`, { unix: path, ...init } as RequestInit);
    expect((await ask("localhost")).status).toBe(200);
    expect((await ask("localhost:12345")).status).toBe(200);
    expect((await ask("evil.example")).status).toBe(403);
    expect((await ask("localhost", { headers: { "x-forwarded-for": "10.0.0.1" } })).status).toBe(401);
    expect(listeningPorts(server.pid)).toEqual([]);

    const second = await q("web", "--socket", path);
    expect([second.status, second.stdout]).toEqual([1, ""]);
    expect(second.stderr).toMatch(/^queuectl: a server listens at [^\n]*\n$/);
    server.kill("SIGTERM");
    expect(await server.exited).toBe(0);
    expect(existsSync(path)).toBe(false);
  });

  test("a socket that a killed server left is used again, and anything else in its place is kept (D25)", async () => {
    await using q = queuectl();
    const path = join(q.folder, "web.sock");
    const killed = q.start("web", "--socket", path);
    await waitUntil("it listens", () => killed.stdout() !== "");
    killed.kill("SIGKILL");
    await killed.exited;
    const server = q.start("web", "--socket", path);
    await waitUntil("it listens again", () => server.stdout() !== "");
    expect((await fetch("http://localhost/healthz", { unix: path } as RequestInit)).status).toBe(200);

    const file = join(q.folder, "file");
    writeFileSync(file, "kept");
    expect((await q("web", "--socket", file)).stderr).toContain("is not a socket");
    expect(readFileSync(file, "utf8")).toBe("kept");
    const open = join(q.folder, "open");
    mkdirSync(open);
    chmodSync(open, 0o777);
    expect((await q("web", "--socket", join(open, "web.sock"))).stderr).toContain("others can replace");
    expect((await q("web", "--socket", path, "--port", "5001")).status).toBe(2);
  });

  test("SIGTERM ends it within a second, also with open event streams", async () => {
    await using web = await webServer();
    await web.q.ok("enqueue", "sleep 60", "--id", "long");
    web.q.start("worker", "--quiet");
    await waitUntil("it runs", async () => (await web.q.json("show", "long")).state === "processing");
    const streams = await Promise.all([1, 2, 3].map(() => web.get("/jobs/long/log/stream?attempt=1")));
    const readers = streams.map((stream) => stream.body!.getReader());
    for (const reader of readers) await reader.read();
    const began = performance.now();
    web.process.kill("SIGTERM");
    expect(await web.process.exited).toBe(0);
    expect(performance.now() - began).toBeLessThan(1000);
  });
});

describe("who is let in", () => {
  test.if(isLinux)("a process of the same user needs no token, and may do all (D4)", async () => {
    await using web = await webServer();
    expect((await web.get("/enqueue")).status).toBe(200);
    expect((await web.api("POST", "/jobs", { command: "true" })).status).toBe(201);
  });

  const asNobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
  const ask = (url: string) =>
    Bun.spawnSync([
      ...asNobody,
      "curl",
      "-s",
      "-o",
      "/dev/null",
      "-w",
      "%{http_code}",
      url,
    ]).stdout.toString();

  test.if(isRoot && isLinux)("another user of the machine needs the token", async () => {
    await using web = await webServer();
    expect(ask(`${web.url}/api/v1/stats`)).toBe("401");
    expect(ask(`${web.url}/`)).toBe("401");
    expect(ask(`${web.url}/healthz`)).toBe("200");
  });

  test.if(isRoot && isLinux)("another user of the machine cannot open the socket (D25)", async () => {
    await using q = queuectl();
    // Everybody may enter the folder, so that only the socket's own mode is in the way.
    using folder = tempFolder();
    chmodSync(folder.path, 0o755);
    const path = join(folder.path, "web.sock");
    const server = q.start("web", "--socket", path);
    await waitUntil("it listens", () => server.stdout() !== "");
    const curl = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket", path];
    const code = (words: readonly string[]) =>
      Bun.spawnSync([...words, ...curl, "http://localhost/healthz"]).stdout.toString();
    expect(code(asNobody)).toBe("000");
    expect(code([])).toBe("200");
  });

  test.if(isRoot && isLinux)("another user who sends and closes at once does nothing", async () => {
    await using web = await webServer();
    const body = JSON.stringify({ command: "echo stolen" });
    const request = `POST /api/v1/jobs HTTP/1.1\r\nHost: 127.0.0.1:${web.port}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    // Perl is on every Debian, and outside of folders that only root may enter. Every second connection is closed with a reset.
    const script = `
      use Socket;
      for my $n (1 .. 200) {
        socket(my $s, PF_INET, SOCK_STREAM, 0) or die;
        connect($s, sockaddr_in(${web.port}, inet_aton("127.0.0.1"))) or die;
        setsockopt($s, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0)) if $n % 2;
        syswrite($s, $ARGV[0]);
        close($s);
      }
    `;
    const sender = Bun.spawnSync([...asNobody, "/usr/bin/perl", "-e", script, request]);
    expect(sender.exitCode).toBe(0);
    await web.api("GET", "/stats");
    expect((await web.q.json("status")).total).toBe(0);
  });

  for (const header of ["forwarded", "x-forwarded-for", "x-forwarded-proto", "via", "x-real-ip"]) {
    test(`a request that came through a proxy (${header}) needs the token`, async () => {
      await using web = await webServer();
      expect((await web.api("GET", "/stats", undefined, { [header]: "for=1.2.3.4" })).status).toBe(401);
    });
  }

  test("--require-token asks everyone, and the token opens", async () => {
    await using web = await webServer({ words: ["--require-token"] });
    const page = await web.get("/jobs?state=dead");
    expect(page.status).toBe(303);
    expect(page.headers.get("location")).toBe("/login?next=%2Fjobs%3Fstate%3Ddead");
    expect((await web.api("GET", "/stats")).status).toBe(401);
    const token = await web.q.ok("web", "token");
    expect((await web.api("GET", "/stats", undefined, { authorization: `Bearer ${token}` })).status).toBe(
      200,
    );
    for (const wrong of ["", "x", `${token}x`, token.slice(1), "y".repeat(5000)]) {
      expect((await web.api("GET", "/stats", undefined, { authorization: `Bearer ${wrong}` })).status).toBe(
        401,
      );
    }
  });

  test("--host 0.0.0.0 says what it means, and then everyone needs the token (D2)", async () => {
    await using web = await webServer({ words: ["--host", "0.0.0.0"] });
    await web.process.says("whoever has the token can run commands as you");
    expect((await web.api("GET", "/stats")).status).toBe(401);
    expect(statSync(join(web.q.home, "web-token")).mode & 0o777).toBe(0o600);
  });

  test("a token file that others can read is refused (D16)", async () => {
    await using web = await webServer();
    await web.q.ok("web", "token");
    for (const mode of [0o604, 0o640]) {
      chmodSync(join(web.q.home, "web-token"), mode);
      const { status, stderr } = await web.q("web", "token");
      expect(status).toBe(1);
      expect(stderr).toMatch(/^queuectl: others can read the token file [^\n]*\n$/);
      expect((await web.q("web", "--port", "0")).status).toBe(1);
    }
  });
});

describe("the host name (D6)", () => {
  test("only our own names are answered, with or without a page behind them", async () => {
    await using web = await webServer({
      words: ["--allowed-host", "queue.example", "--allowed-host", "Jobs.example:8443"],
    });
    const host = async (name: string) => statusOfRaw(await exchange(web.port, rawGet(`Host: ${name}`)));
    for (const name of [
      `127.0.0.1:${web.port}`,
      `LOCALHOST:${web.port}`,
      `[::1]:${web.port}`,
      "queue.example",
      "queue.example:8443",
      "jobs.example:8443",
    ]) {
      expect([name, await host(name)]).toEqual([name, 200]);
    }
    for (const name of [
      "evil.example",
      "evil.queue.example",
      "jobs.example",
      "127.0.0.1",
      `localhost.evil.example:${web.port}`,
      `127.0.0.1.evil.example:${web.port}`,
      "localhost:1",
      "0x7f000001",
    ]) {
      expect([name, await host(name)]).toEqual([name, 403]);
    }
    const two = await exchange(web.port, rawGet(`Host: 127.0.0.1:${web.port}\r\nHost: evil.example`));
    expect([400, 403]).toContain(statusOfRaw(two));
    expect(statusOfRaw(await exchange(web.port, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n"))).toBe(400);
    for (const path of ["/no/such/page", "/healthz", "/assets/x/queuectl.css", "/jobs/x/log/stream"]) {
      expect((await web.get(path, { host: "evil.example" })).status).toBe(403);
    }
  });

  test.if(isLinux)("an address of this machine alone is answered at, whichever of them it is", async () => {
    await using web = await webServer({ words: ["--host", "127.0.0.2"] });
    expect(web.url).toBe(`http://127.0.0.2:${web.port}`);
    expect((await web.get("/jobs")).status).toBe(200);
    expect((await web.get("/jobs", { host: `127.0.0.2.evil.example:${web.port}` })).status).toBe(403);
    expect((await web.get("/jobs", { host: "127.0.0.2:1" })).status).toBe(403);
  });

  test("a host that makes no address is refused as plainly, with the headers of every answer", async () => {
    await using web = await webServer();
    const hosts = ["", "[::1", "a b%%%", `evil.com@localhost:${web.port}`, `localhost:${web.port}/api/v1`];
    const asked = hosts.map((host) => rawGet(`Host: ${host}`));
    for (const request of [...asked, "GET /api/v1/stats HTTP/1.0\r\n\r\n"]) {
      const answer = await exchange(web.port, request);
      expect([request, statusOfRaw(answer)]).toEqual([request, 400]);
      expect(answer).toContain("default-src 'none'");
      expect(answer).toContain("urn:queuectl:problem:address");
    }
    expect(web.process.stderr()).not.toContain("Error");
  });
});

describe("pages of other sites (D8)", () => {
  const foreign: [string, Record<string, string>][] = [
    ["a cross-site page", { "sec-fetch-site": "cross-site" }],
    ["a page on another port", { "sec-fetch-site": "same-site" }],
    ["a foreign origin", { origin: "http://evil.example" }],
    ["this machine's other port", { origin: "http://127.0.0.1:1" }],
    ["an origin that a sandbox hides", { origin: "null" }],
    ["another scheme's origin", { origin: "file://" }],
  ];
  for (const [what, headers] of foreign) {
    test(`${what} changes nothing, by no method, and is told which check failed`, async () => {
      await using web = await webServer();
      for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
        const answer = await web.api(
          method,
          method === "POST" ? "/jobs" : "/jobs/x",
          { command: "true" },
          headers,
        );
        expect([method, answer.status]).toEqual([method, 403]);
        expect(await answer.json()).toMatchObject({ check: "foreign-origin" });
      }
      expect((await web.post("/enqueue", { command: "true" }, headers)).status).toBe(403);
      expect((await web.q.json("status")).total).toBe(0);
    });
  }

  test("nor do they load anything of ours, but they may link here", async () => {
    await using web = await webServer();
    for (const site of ["cross-site", "same-site"]) {
      const foreign = { "sec-fetch-site": site };
      for (const path of ["/", "/api/v1/stats", "/metrics"]) {
        expect((await web.get(path, { ...foreign, "sec-fetch-mode": "no-cors" })).status).toBe(403);
        expect((await web.get(path, { ...foreign, "sec-fetch-mode": "navigate" })).status).toBe(200);
      }
    }
  });

  test("our own pages, the address bar and programs without a browser are let through", async () => {
    await using web = await webServer();
    const own: Record<string, string>[] = [
      { "sec-fetch-site": "same-origin" },
      { "sec-fetch-site": "none" },
      { origin: web.url },
      {},
    ];
    for (const headers of own)
      expect((await web.api("POST", "/jobs", { command: "true" }, headers)).status).toBe(201);
  });

  test("a token without a cookie is nothing that a foreign page has; with a cookie it does not help", async () => {
    await using web = await webServer();
    const authorization = `Bearer ${await web.q.ok("web", "token")}`;
    const origin = "http://tool.example";
    expect((await web.api("POST", "/jobs", { command: "true" }, { authorization, origin })).status).toBe(201);
    expect(
      (await web.api("POST", "/jobs", { command: "true" }, { authorization, origin, cookie: "a=b" })).status,
    ).toBe(403);
  });
});

describe("scopes (D19)", () => {
  test("no route does anything for a token without its scope, or for nobody", async () => {
    await using web = await webServer({ words: ["--require-token"] });
    await using temp = await tempSqlite();
    const { routes } = makeApp(webOf(temp.store, web.q.folder));
    const tokens: { scope: string; token: string }[] = [];
    for (const scope of scopes)
      tokens.push({ scope, token: await web.q.ok("web", "token", "--scope", scope) });
    for (const { method, path, scope } of routes.filter((route) => route.scope !== "public")) {
      const url = `${web.url}${path.replace(/:\w+/g, "one")}`;
      const ask = async (headers: Record<string, string>) => (await fetch(url, { method, headers })).status;
      expect([method, path, await ask({})]).toEqual([method, path, 401]);
      for (const other of tokens.filter((one) => one.scope !== scope)) {
        const status = await ask({ authorization: `Bearer ${other.token}` });
        expect([method, path, other.scope, status]).toEqual([method, path, other.scope, 403]);
      }
    }
  });

  test("a token does what its scopes allow, and buttons for more are not there", async () => {
    await using web = await webServer({ words: ["--require-token"] });
    const bearer = async (...scopes: string[]) => ({
      authorization: `Bearer ${await web.q.ok("web", "token", ...scopes.flatMap((scope) => ["--scope", scope]))}`,
    });
    const [read, operate, enqueue] = [
      await bearer("read"),
      await bearer("read", "operate"),
      await bearer("enqueue"),
    ];
    const statuses = async (headers: Record<string, string>) => [
      (await web.api("GET", "/stats", undefined, headers)).status,
      (await web.api("POST", "/dlq/retry-all", undefined, headers)).status,
      (await web.api("POST", "/jobs", { command: "true" }, headers)).status,
    ];
    expect(await statuses(read)).toEqual([200, 403, 403]);
    expect(await statuses(operate)).toEqual([200, 200, 403]);
    expect(await statuses(enqueue)).toEqual([403, 403, 201]);
    const page = await (await web.get("/jobs", read)).text();
    expect(page).not.toContain('method="post" action="/jobs');
    expect(page).not.toContain("/enqueue");
    expect(await (await web.api("POST", "/dlq/purge", undefined, read)).json()).toMatchObject({
      check: "scope",
      detail: expect.stringContaining("operate"),
    });
  });
});

describe("published by others' means", () => {
  test("with a certificate it speaks https, and its cookies go nowhere else", async () => {
    await using q = queuectl();
    const [key, cert] = [join(q.folder, "key.pem"), join(q.folder, "cert.pem")];
    const made = Bun.spawnSync([
      "openssl",
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-keyout",
      key,
      "-out",
      cert,
      "-days",
      "1",
      "-subj",
      "/CN=localhost",
    ]);
    expect(made.exitCode).toBe(0);
    await using web = await webServer({
      q,
      words: ["--require-token", "--tls-cert", cert, "--tls-key", key, "--base-path", "/queue"],
    });
    expect(web.url).toStartWith("https://");
    const token = await q.ok("web", "token");
    const answer = await fetch(`${web.url}/login`, {
      method: "POST",
      redirect: "manual",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ token }).toString(),
      tls: { rejectUnauthorized: false },
    });
    expect(answer.headers.get("set-cookie")).toMatch(/^__Host-qctl_\d+=.*; Path=\/;.*; Secure$/);
    expect(answer.headers.get("strict-transport-security")).toContain("max-age=");
  });

  test("files that hold no certificate and its key are named", async () => {
    await using q = queuectl();
    const [cert, key] = [join(q.folder, "cert.pem"), join(q.folder, "key.pem")];
    writeFileSync(cert, "no certificate\n");
    writeFileSync(key, "");
    expect(await q("web", "--port", "0", "--tls-cert", cert, "--tls-key", key)).toEqual({
      status: 1,
      stdout: "",
      stderr:
        "queuectl: --tls-cert and --tls-key cannot be used: no start line (name a certificate and its key, both as PEM)\n",
    });
  });

  test("wrong options are refused in one line, with 2", async () => {
    await using q = queuectl();
    for (const words of [
      ["--port", "70000"],
      ["--tls-cert", "x"],
      ["--base-path", "no slash"],
      ["--trusted-proxy", "10.0.0.0/99"],
      ["--allowed-hosts", "x"],
      ["--allowed-host", "https://x"],
    ]) {
      const { status, stdout, stderr } = await q("web", ...words);
      expect([words[0], status, stdout]).toEqual([words[0], 2, ""]);
      expect(stderr).toMatch(/^queuectl: [^\n]+\n$/);
    }
  });
});
