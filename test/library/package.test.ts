// The package as another project installs it: its types hold there, under stricter rules than ours, and it runs.

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { type TempFolder, tempFolder } from "../support/temp-home.ts";

setDefaultTimeout(120_000);

const root = resolve(import.meta.dir, "../..");

const options = {
  target: "ESNext",
  lib: ["ESNext"],
  strict: true,
  exactOptionalPropertyTypes: true,
  noPropertyAccessFromIndexSignature: true,
  noUncheckedIndexedAccess: true,
  noUnusedLocals: true,
  noEmit: true,
  jsx: "react",
  types: ["bun"],
};

let project: TempFolder;

async function call(...words: string[]): Promise<string> {
  const child = Bun.spawn(words, {
    cwd: project.path,
    env: { ...process.env, QUEUECTL_HOME: join(project.path, "home") },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if ((await child.exited) !== 0) throw new Error(`${words.join(" ")}: ${stdout}${stderr}`);
  return stdout;
}

beforeAll(async () => {
  project = tempFolder();
  await Bun.write(join(project.path, "package.json"), JSON.stringify({ name: "consumer", type: "module" }));
  await call(process.execPath, "pm", "pack", "--cwd", root, "--destination", project.path);
  const packed = readdirSync(project.path).find((name) => name.endsWith(".tgz"))!;
  await call(process.execPath, "add", `./${packed}`);
  for (const name of ["@types", "bun-types", "typescript"])
    symlinkSync(join(root, "node_modules", name), join(project.path, "node_modules", name));
}, 120_000);

afterAll(() => project[Symbol.dispose]());

const program = `
import { type Job, type JobEvent, type OutputPiece, Queue, Refusal } from "queuectl";

await using queue = await Queue.open();
const job: Job = await queue.enqueue(["echo", "a b"], { id: "one", tags: ["x"], delay: 0 });
const ids: readonly string[] = await queue.enqueueAll([{ command: "true", priority: 5 }]);
// @ts-expect-error there is no such option
await queue.enqueue("true", { maxRetries: 1 }).catch((error: unknown) => {
  if (error instanceof Refusal) console.log(error.kind);
});
export const one = (): Promise<Job> => queue.wait("one");
export const many = (): Promise<readonly Job[]> => queue.wait(ids, { timeout: 5, signal: AbortSignal.timeout(9) });
export const events = (): AsyncIterable<JobEvent> => queue.events("one");
export const pieces = (): AsyncIterable<OutputPiece> => queue.follow("one");
console.log(job.state, (await queue.stats()).total);
`;

const app = `
import { Elysia } from "elysia";
import { Queue } from "queuectl";
import { dashboard } from "queuectl/dashboard";

await using queue = await Queue.open();
await queue.enqueue("true", { id: "seen" });
const allow = ({ headers }: Request) => (headers.has("x-admin") ? "enqueue" : undefined);
const app = new Elysia()
  .state("version", 1)
  .use(dashboard({ queue, prefix: "/jobs", allow }))
  .get("/version", ({ store }): number => store.version);
const ask = async (path: string, headers: Record<string, string>) =>
  (await app.handle(new Request("http://localhost" + path, { headers: { host: "localhost", ...headers } }))).status;
for (const path of ["/jobs/jobs/seen", "/version"]) console.log(await ask(path, { "x-admin": "yes" }), await ask(path, {}));
`;

async function types(module: string, more: object): Promise<string> {
  const config = { compilerOptions: { ...options, module, ...more }, files: ["project.ts"] };
  await Bun.write(join(project.path, "tsconfig.json"), JSON.stringify(config));
  return call(process.execPath, "node_modules/typescript/bin/tsc", "-p", ".");
}

for (const module of ["Preserve", "NodeNext"]) {
  test(`its types hold with the module ${module}`, async () => {
    await Bun.write(join(project.path, "project.ts"), program);
    expect(await types(module, {})).toBe("");
  });
}

test("the examples of docs/library.md are programs", async () => {
  const text = await Bun.file(join(root, "docs/library.md")).text();
  const [queue, app] = [...text.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code!);
  const given = [
    `declare const files: string[];\n${queue}`,
    `import { Elysia } from "elysia";\nimport { Queue } from "queuectl";\n` +
      `declare const isAdmin: (request: Request) => Promise<boolean>;\n${app}`,
  ];
  for (const code of given) {
    await Bun.write(join(project.path, "project.ts"), code);
    expect(await types("Preserve", { skipLibCheck: true, noUnusedLocals: false })).toBe("");
  }
});

test("an app keeps its own types beside the dashboard", async () => {
  await Bun.write(join(project.path, "project.ts"), app);
  // Elysia's own types do not hold under rules that are this strict.
  expect(await types("Preserve", { skipLibCheck: true })).toBe("");
});

test("a program opens a queue, and its jobs are there for the command that was installed with it", async () => {
  await Bun.write(join(project.path, "project.ts"), program);
  expect(await call(process.execPath, "project.ts")).toBe("usage\npending 2\n");
  const list = await call("node_modules/.bin/queuectl", "list", "--json");
  expect(JSON.parse(list).map(({ command }: { command: string }) => command)).toEqual(["true", "echo 'a b'"]);
});

test("an app has the dashboard, although its project renders markup in another way", async () => {
  await Bun.write(join(project.path, "tsconfig.json"), JSON.stringify({ compilerOptions: options }));
  await Bun.write(join(project.path, "project.ts"), app);
  expect(await call(process.execPath, "project.ts")).toBe("200 403\n200 200\n");
});
