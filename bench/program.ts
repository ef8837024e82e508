// Programs as benches run them: queuectl with a home of its own, and others; each is expected to end with 0.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { built } from "./built.ts";
import { scratch } from "./scratch.ts";

/** queuectl as most run it. */
export const binary = (): readonly string[] => [built("queuectl.ts")];

export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
  /** The most memory it had at a time, in bytes. */
  readonly peak: number;
  /** Processor time with that of its children, in milliseconds. */
  readonly cpuMs: number;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | Blob;
  readonly cwd?: string;
}

export async function run(words: readonly string[], { env = {}, stdin, cwd }: RunOptions = {}): Promise<Ran> {
  const begun = performance.now();
  const child = Bun.spawn([...words], {
    env: { ...plainEnvironment, ...env },
    stdin: stdin === undefined ? "ignore" : new Blob([stdin]),
    stdout: "pipe",
    stderr: "pipe",
    ...(cwd !== undefined && { cwd }),
  });
  const [stdout, stderr, status] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  const ms = performance.now() - begun;
  if (status !== 0) throw new Error(`${words.join(" ")} ended with ${status}: ${stderr.slice(0, 500)}`);
  const used = child.resourceUsage()!;
  return { stdout, stderr, ms, peak: used.maxRSS, cpuMs: Number(used.cpuTime.total) / 1000 };
}

export interface Home {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
  queuectl(words: readonly string[], options?: RunOptions): Promise<Ran>;
  // biome-ignore lint/suspicious/noExplicitAny: what a document holds is said by who asks for it
  json(...words: string[]): Promise<any>;
}

/** A new home, and the program that is called with it. */
export function newHome(program = binary()): Home {
  const path = join(scratch("home"), "home");
  const env = { QUEUECTL_HOME: path };
  const queuectl: Home["queuectl"] = (words, options) =>
    run([...program, ...words], { ...options, env: { ...env, ...options?.env } });
  return {
    path,
    env,
    queuectl,
    json: async (...words) => JSON.parse((await queuectl([...words, "--json"])).stdout),
  };
}

export interface Workers extends AsyncDisposable {
  stop(): Promise<void>;
  /** What each process wrote to stderr; complete when stopped. */
  said(): readonly string[];
}

/** Starts so many worker processes with so many workers each, and waits until all of them are there. */
export async function startWorkers(home: Home, processes: number, count: number): Promise<Workers> {
  // The first one makes the database.
  await home.queuectl(["status"]);
  const children = Array.from({ length: processes }, () =>
    Bun.spawn([...binary(), "worker", `--count=${count}`], {
      env: { ...plainEnvironment, ...home.env },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    }),
  );
  const texts = children.map(({ stderr }) => stderr.text());
  while ((await home.json("worker", "list")).length < processes * count) await Bun.sleep(50);
  let said: readonly string[] = [];
  async function stop(): Promise<void> {
    for (const child of children) child.kill("SIGTERM");
    said = await Promise.all(texts);
  }
  return { stop, said: () => said, [Symbol.asyncDispose]: stop };
}

/** JSON Lines of so many jobs. */
export const jobLines = (count: number, command: string) => `${JSON.stringify({ command })}\n`.repeat(count);

/** The bytes that a home's jobs printed. */
export const printedBytes = ({ path }: Home) => bytesIn(join(path, "logs", "jobs"));

/** The bytes of all files below a folder. */
export function bytesIn(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return files.reduce((sum, { parentPath, name }) => sum + Bun.file(join(parentPath, name)).size, 0);
}

const plainEnvironment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(QUEUECTL_|npm_|NODE_ENV$|NO_COLOR$)/.test(name)),
) as Record<string, string>;
