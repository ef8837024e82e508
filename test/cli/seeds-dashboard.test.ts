// The earlier systems' dashboards: `web` and `dashboard` answer a browser with the counts.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { createServer } from "node:net";
import { queuectl, type Running } from "../support/queuectl.ts";
import { waitUntil } from "../support/wait-until.ts";

setDefaultTimeout(180_000);

describe.concurrent("the dashboard", () => {
  for (const command of ["web", "dashboard"]) {
    test(`${command} --port answers a browser with a page that names the counts`, async () => {
      await using q = queuectl();
      await q.ok("config", "set", "max_retries", "0");
      for (const job of ["true", "true", "false"]) await q.ok("enqueue", job);
      await q.ok("worker", "--until-empty");
      const port = await freePort();
      const web = q.start(command, "--port", String(port));

      const response = await answer(web, `http://127.0.0.1:${port}/`);
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toContain("text/html");
      const page = (await response.text()).toLowerCase();
      for (const word of ["completed", "dead"]) expect(page).toContain(word);
      const text = page.replace(/<(style|script)[\s\S]*?<\/\1>/g, " ").replace(/<[^>]*>/g, " ");
      expect(text).toMatch(/completed\s+2\b|\b2\s+completed/);
      expect(text).toMatch(/dead[\w ]*\s+1\b|\b1\s+dead/);

      web.kill("SIGINT");
      expect(await web.exited).toBe(0);
    });
  }

  test("web --host 0.0.0.0 --port listens on every address and says what that means", async () => {
    await using q = queuectl();
    const port = await freePort();
    const web = q.start("web", "--host", "0.0.0.0", "--port", String(port));
    const response = await answer(web, `http://127.0.0.1:${port}/`);
    // Who may look is asked for a token then; that it answers at all is what the seed's command line is about.
    expect(response.status).toBeLessThan(500);
    expect(web.stderr()).not.toBe("");
  });

  test("a port that is taken is answered with one line and exit status 1", async () => {
    await using q = queuectl();
    using server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
    const { status, stdout, stderr } = await q("web", "--port", String(server.port));
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/^queuectl: [^\n]+\n$/);
    expect(stderr).toContain(String(server.port));
  });
});

/** The first answer of a server that is about to listen. */
async function answer(web: Running, url: string): Promise<Response> {
  const ended = web.exited.then((status) => {
    throw new Error(`it ended with ${status} instead of listening: ${web.stderr()}`);
  });
  return Promise.race([waitUntil(`${url} answers`, () => fetch(url).catch(() => undefined)), ended]);
}

/** A port that nobody listens on now; the command line wants one named. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}
