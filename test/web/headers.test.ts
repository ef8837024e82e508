// What every answer carries, so that a browser does nothing that the dashboard did not mean.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { jobLogPath } from "../../src/home.ts";
import { vendored } from "../../src/web/assets.ts";
import { webServer } from "../support/web-server.ts";

setDefaultTimeout(180_000);

const policy =
  /^default-src 'none'; script-src 'self' 'nonce-([\w-]{22})'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types htmx$/;

const always = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
};

describe("headers (D7, D23)", () => {
  test("pages carry the strict policy with a nonce that never comes twice, errors too", async () => {
    await using web = await webServer();
    const nonces = new Set<string>();
    const paths = [
      "/",
      "/jobs",
      "/dlq",
      "/workers",
      "/queues",
      "/schedules",
      "/schedules/new",
      "/settings",
      "/enqueue",
      "/login",
      "/p/jobs",
      "/no-such-page",
      "/jobs/no-such-job",
      "/jobs?state=odd",
      "/confirm/purge",
    ];
    for (const path of paths) {
      const answer = await web.get(path);
      expect([path, answer.headers.get("content-security-policy")]).toEqual([
        path,
        expect.stringMatching(policy),
      ]);
      nonces.add(policy.exec(answer.headers.get("content-security-policy")!)![1]!);
      expect(Object.fromEntries(answer.headers)).toMatchObject({ ...always, "cache-control": "no-store" });
    }
    expect(nonces.size).toBe(paths.length);
  });

  test("what is no page may not become one", async () => {
    await using web = await webServer();
    for (const path of [
      "/api/v1/stats",
      "/api/v1/none",
      "/healthz",
      "/metrics",
      "/assets/none",
      "/api/v1/openapi.json",
    ]) {
      const { headers } = await web.get(path);
      if (headers.get("content-type")?.startsWith("text/html")) continue;
      expect([path, headers.get("content-security-policy")]).toEqual([
        path,
        "default-src 'none'; frame-ancestors 'none'; sandbox",
      ]);
      expect(Object.fromEntries(headers)).toMatchObject(always);
    }
    const led = await web.post("/queues/default/pause", {});
    expect([led.status, Object.fromEntries(led.headers)]).toEqual([303, expect.objectContaining(always)]);
  });

  test("no answer allows another origin to read it (D9)", async () => {
    await using web = await webServer();
    for (const method of ["GET", "OPTIONS"]) {
      for (const path of ["/", "/api/v1/stats", "/metrics", "/healthz"]) {
        const answer = await fetch(`${web.url}${path}`, {
          method,
          headers: { origin: "http://evil.example", "access-control-request-method": "POST" },
        });
        expect([...answer.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
      }
    }
  });

  test("pages hold no inline script, style or handler, and name no other server (D18)", async () => {
    await using web = await webServer();
    await web.q.ok("enqueue", "echo hello", "--id", "one");
    for (const path of [
      "/",
      "/jobs",
      "/jobs/one",
      "/dlq",
      "/workers",
      "/queues",
      "/schedules",
      "/schedules/new",
      "/settings",
      "/enqueue",
      "/login",
    ]) {
      const page = await (await web.get(path)).text();
      expect(page).not.toMatch(/\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)/);
      expect(page.match(/https?:\/\/(?!127\.0\.0\.1)[^"\s<]+/g) ?? []).toEqual([]);
    }
  });
});

describe("the first page", () => {
  test("is under 60 KB compressed, with all it loads", async () => {
    await using web = await webServer();
    for (let n = 0; n < 12; n++)
      await web.q.ok("enqueue", `ffmpeg -i in-${n}.mov out-${n}.mp4`, "--tag", "video");
    const size = async (path: string) => {
      const { stdout } = Bun.spawnSync([
        "curl",
        "-s",
        "-o",
        "/dev/null",
        "-w",
        "%{size_download}",
        "-H",
        "accept: text/html",
        "-H",
        "accept-encoding: gzip",
        `${web.url}${path}`,
      ]);
      return Number(stdout.toString());
    };
    const page = await (await web.get("/")).text();
    const loaded = [...page.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, path]) => path!);
    expect(loaded.length).toBe(3);
    const sizes = await Promise.all(["/", ...loaded].map(size));
    expect(sizes.reduce((sum, one) => sum + one, 0)).toBeLessThan(60_000);
  });

  test("assets are kept for ever under a name made of their content", async () => {
    await using web = await webServer();
    const page = await (await web.get("/")).text();
    for (const [, path] of page.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)) {
      const answer = await web.get(path!);
      expect(answer.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
      const digest = createHash("sha256")
        .update(await answer.text())
        .digest("hex");
      expect(path).toContain(`/assets/${digest.slice(0, 12)}/`);
    }
  });

  test("htmx is the one that was published (D25)", () => {
    const digests = Object.entries(vendored).map(([name, text]) => [
      name,
      createHash("sha256").update(text).digest("hex"),
    ]);
    expect(Object.fromEntries(digests)).toEqual({
      "htmx.min.js": "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130",
      "hx-csp.min.js": "a7e1e6711ae6c3e50ad300fba7936cbe8d07599cdae313414a179ddd6b26e143",
      "hx-ptag.min.js": "1993b23e86553100e4f45eed1b756eb8cf53c5b2244caf98e58662dfde9ca069",
      "hx-sse.min.js": "18ef2761356ec1fe0bb6d92612315b37517a7c1e9856b661c5ae81fef239d103",
    });
  });
});

describe("what is kept on disk (D16)", () => {
  test("every file below the home is the owner's alone", async () => {
    await using web = await webServer({ words: ["--require-token"] });
    const token = await web.q.ok("web", "token");
    await web.api("POST", "/jobs", { command: "echo x" }, { authorization: `Bearer ${token}` });
    await web.q.ok("worker", "--until-empty");
    const walk = (path: string): string[] =>
      statSync(path).isDirectory()
        ? [path, ...readdirSync(path).flatMap((name) => walk(join(path, name)))]
        : [path];
    for (const path of walk(web.q.home)) expect([path, statSync(path).mode & 0o077]).toEqual([path, 0]);
    expect(readFileSync(join(web.q.home, "web-token"), "utf8").trim().split("\n").length).toBe(1);
  });
});

describe("ids and paths (D15)", () => {
  test("no path out of an id opens a file", async () => {
    await using web = await webServer();
    for (const id of ["..%2f..%2fetc%2fpasswd", "%00", "a%00b", "..%2f", "a%0d%0aSet-Cookie:x=y"]) {
      for (const path of [`/jobs/${id}/log`, `/api/v1/jobs/${id}`, `/jobs/${id}`]) {
        const answer = await web.get(path);
        expect([404, 400]).toContain(answer.status);
        expect(await answer.text()).not.toContain("root:");
      }
    }
  });

  test("a link in the place of a log is not followed", async () => {
    await using web = await webServer();
    await web.q.ok("run", "echo mine", "--id", "one").catch(() => {});
    const path = jobLogPath(web.q.home, 1, 1);
    expect(await (await web.get("/jobs/one/log")).text()).toBe("mine\n");
    rmSync(path, { force: true });
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync("/etc/passwd", path);
    const raw = await web.get("/jobs/one/log");
    expect(raw.status).toBe(404);
    expect(await (await web.get("/jobs/one")).text()).not.toContain("root:");
  });
});
