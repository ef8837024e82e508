// What `npm pack` makes, installed in another project on a machine that has Node and no Bun.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { version } from "../../src/version.ts";
import { collect } from "../support/queuectl.ts";
import { tempFolder } from "../support/temp-home.ts";
import { waitUntil } from "../support/wait-until.ts";

setDefaultTimeout(120_000);

const root = resolve(import.meta.dir, "../..");
/** All that the machine has in its PATH, for npm, the launcher and the jobs. */
const programs = ["sh", "env", "readlink", "cat", "node", "npx"];
const missing = ["npm", "tar", ...programs].filter((name) => !Bun.which(name));

let project: string;
let env: Record<string, string>;

const spawn = (words: readonly string[], more: Record<string, string> = {}) =>
  Bun.spawn([...words], {
    cwd: project,
    env: { ...env, ...more },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });

async function call(words: readonly string[], more: Record<string, string> = {}) {
  const child = spawn(words, more);
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { status: await child.exited, stdout: stdout.trimEnd(), stderr };
}

const installed = "./node_modules/.bin/queuectl";

/** As npm lays it out, without its downloads: the packages that ours needs are the checkout's. */
beforeAll(() => {
  if (missing.length > 0) return;
  project = mkdtempSync(join(tmpdir(), "queuectl-package-"));
  const modules = join(project, "node_modules");
  const path = join(project, "path");
  for (const folder of [join(modules, ".bin"), path]) mkdirSync(folder, { recursive: true });
  for (const name of programs) symlinkSync(Bun.which(name)!, join(path, name));
  env = { PATH: path, HOME: project, QUEUECTL_HOME: join(project, "home") };
  const pack = `npm pack --silent --pack-destination "$1" "$2" >/dev/null && tar -xzf "$1"/queuectl-*.tgz -C "$1"`;
  const packed = Bun.spawnSync(["/bin/sh", "-c", pack, "sh", project, root], { env: process.env });
  if (packed.exitCode !== 0) throw new Error(`npm pack failed: ${packed.stderr}`);
  renameSync(join(project, "package"), join(modules, "queuectl"));
  for (const name of readdirSync(join(root, "node_modules")))
    if (!name.startsWith(".")) symlinkSync(join(root, "node_modules", name), join(modules, name));
  symlinkSync("../queuectl/bin/queuectl", join(modules, ".bin", "queuectl"));
  writeFileSync(join(project, "package.json"), '{"name": "project", "version": "1.0.0"}');
  writeFileSync(join(project, ".env"), "QUEUECTL_PRIORITY=5\nFROM_DOTENV=1\n");
  writeFileSync(join(project, "bunfig.toml"), 'preload = ["./preload.ts"]\n');
  writeFileSync(join(project, "preload.ts"), 'console.log("preloaded"); process.exit(99);\n');
});
afterAll(() => project && rmSync(project, { recursive: true }));

describe.skipIf(missing.length > 0)(
  missing.length > 0 ? `the package of npm (no ${missing})` : "the package of npm",
  () => {
    test("says its version and the commit that it was packed from", async () => {
      const commit = Bun.spawnSync([join(root, ".ci/commit")])
        .stdout.toString()
        .trim();
      const { stdout } = await call(["npx", "queuectl", "--version"]);
      expect(stdout).toBe(`queuectl ${version}${commit && ` (${commit})`}`);
    });

    test("npx runs it, and passes on output and exit status", async () => {
      const words = ["npx", "queuectl", "run", "--max-retries", "0", "echo hello; exit 3"];
      expect(await call(words)).toMatchObject({ status: 3, stdout: "hello" });
    });

    test("a job sees nothing of npx, and no .env of the folder", async () => {
      const { stdout } = await call(["npx", "queuectl", "run", "env"]);
      const lines = stdout.split("\n");
      expect(lines.filter((line) => /^(npm_|NODE=|INIT_CWD=|FROM_DOTENV=)/.test(line))).toEqual([]);
      expect(lines).toContain(`PATH=${env.PATH}`);
    });

    test("a worker in the background is the same program, and obeys no bunfig.toml of the folder either", async () => {
      const { status, stdout: worker, stderr } = await call([installed, "worker", "--detach"]);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(worker).toStartWith("worker-");
      const { stdout: id } = await call([installed, "enqueue", "echo done"]);
      expect((await call([installed, "wait", id])).status).toBe(0);
      expect(JSON.parse((await call([installed, "show", id, "--json"])).stdout).priority).toBe(1);
      expect((await call([installed, "worker", "stop", "--wait"])).status).toBe(0);
    });

    test("the dashboard has all of its pages", async () => {
      const child = spawn([installed, "web", "--port", "0"]);
      let said = "";
      const reading = collect(child.stdout, (text) => {
        said += text;
      });
      const url = await waitUntil("the server says where it listens", () => /^http\S+(?=\n)/.exec(said)?.[0]);
      const page = await fetch(url);
      expect({ status: page.status, text: await page.text() }).toMatchObject({
        status: 200,
        text: expect.stringContaining("<!doctype html>"),
      });
      child.kill("SIGTERM");
      expect(await child.exited).toBe(0);
      await reading;
    });

    test("without its Bun it says in one line what to install", async () => {
      using elsewhere = tempFolder();
      cpSync(join(project, "node_modules", "queuectl"), elsewhere.path, { recursive: true });
      expect(await call([join(elsewhere.path, "bin", "queuectl"), "status"])).toEqual({
        status: 1,
        stdout: "",
        stderr: expect.stringMatching(/^queuectl: there is no Bun .* \(install .*\)\n$/),
      });
    });
  },
);
