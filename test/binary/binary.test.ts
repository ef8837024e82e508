// What depends on being one file, beside all that other tests ask of the compiled program.

import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { binary } from "../support/program.ts";

setDefaultTimeout(180_000);

/** Another program's folder: what lies in it is none of queuectl's business. */
function folder(): Disposable & { readonly path: string; readonly env: Record<string, string> } {
  const path = mkdtempSync(join(tmpdir(), "queuectl-binary-"));
  return {
    path,
    env: { PATH: process.env.PATH!, HOME: path, QUEUECTL_HOME: join(path, "home") },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

async function call({ path, env }: { path: string; env: Record<string, string> }, ...words: string[]) {
  const child = Bun.spawn([binary, ...words], {
    cwd: path,
    env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { status: await child.exited, stdout: stdout.trimEnd(), stderr };
}

test("it says its version, and the commit that it was built from where git knew it", async () => {
  using here = folder();
  const { status, stdout, stderr } = await call(here, "--version");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toMatch(/^queuectl [^ ]+( \([0-9a-f]{7,}(-dirty)?\))?$/);
  expect(stdout).toStartWith(`queuectl ${packageJson.version}`);
});

test("it needs neither its sources nor Bun", async () => {
  using here = folder();
  const env = { ...here.env, PATH: "/usr/bin:/bin" };
  expect(await call({ path: here.path, env }, "run", "echo hello")).toEqual({
    status: 0,
    stdout: "hello",
    stderr: "",
  });
});

test("of output that is too much it keeps the beginning and the end", async () => {
  using here = folder();
  await call(here, "config", "set", "log_limit", "10KiB");
  await call(here, "run", "seq 100000", "--id", "job");
  const { attempts_history } = JSON.parse((await call(here, "show", "job", "--json")).stdout);
  expect(attempts_history[0]).toMatchObject({ log_bytes: 10_240, log_left_out: 588_895 - 10_240 });
  const { stdout, stderr } = await call(here, "logs", "job");
  expect([stdout.startsWith("1\n2\n3\n"), stdout.endsWith("\n99999\n100000")]).toEqual([true, true]);
  expect(stderr).toContain("565.1 KiB of the output were left out here, after 5 KiB");
});

test("a worker in the background is the same binary, and works and stops as from source", async () => {
  using here = folder();
  const { stdout: worker } = await call(here, "worker", "--detach");
  expect(worker).toMatch(/^worker-/);
  const [listed] = JSON.parse((await call(here, "worker", "list", "--json")).stdout);
  expect(listed.id).toBe(worker);
  if (process.platform === "linux") expect(readlinkSync(`/proc/${listed.pid}/exe`)).toBe(binary);
  const { stdout: id } = await call(here, "enqueue", "echo from the background");
  expect((await call(here, "wait", id)).status).toBe(0);
  expect((await call(here, "logs", id)).stdout).toBe("from the background");
  expect((await call(here, "worker", "stop", "--wait")).status).toBe(0);
  expect((await call(here, "worker", "list", "--json")).stdout).toBe("[]");
});

test("a .env and a bunfig.toml of the folder where it is called are not loaded", async () => {
  using here = folder();
  writeFileSync(
    join(here.path, ".env"),
    "FROM_DOTENV=1\nQUEUECTL_PRIORITY=5\nQUEUECTL_HOME=/nonexistent/home\n",
  );
  writeFileSync(join(here.path, "bunfig.toml"), 'preload = ["./preload.ts"]\n');
  writeFileSync(join(here.path, "preload.ts"), 'await Bun.write("preloaded", ""); process.exit(99);\n');
  const enqueued = await call(here, "enqueue", "echo [$FROM_DOTENV]", "--json");
  expect(enqueued).toMatchObject({ status: 0, stderr: "" });
  expect(JSON.parse(enqueued.stdout).priority).toBe(1);
  expect((await call(here, "worker", "--until-empty")).status).toBe(0);
  expect((await call(here, "logs", JSON.parse(enqueued.stdout).id)).stdout).toBe("[]");
  await call(here, "worker", "--until-empty", "--detach");
  // Or it would wait for ever for the database that goes with the folder.
  await call(here, "worker", "stop", "--wait");
  expect(existsSync(join(here.path, "preloaded"))).toBe(false);
  expect(existsSync(join(here.path, "home", "queue.db"))).toBe(true);
});

test("options of Bun in the user's environment or words are not taken for its own", async () => {
  using here = folder();
  mkdirSync(join(here.path, "node_modules"));
  writeFileSync(join(here.path, "package.json"), '{"name":"queuectl","scripts":{"queuectl":"false"}}');
  writeFileSync(join(here.path, "tsconfig.json"), "{ this is no JSON");
  expect(await call(here, "run", "echo hello")).toEqual({ status: 0, stdout: "hello", stderr: "" });
});
