// queuectl as a user runs it: a real process with a home of its own.

import { join } from "node:path";
import { program } from "./program.ts";
import { type TempFolder, tempFolder } from "./temp-home.ts";
import { waitUntil } from "./wait-until.ts";

export interface Result {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface CallOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | Uint8Array;
}

export interface Queuectl extends AsyncDisposable {
  readonly home: string;
  readonly folder: string;
  /** Runs it to its end. */
  (...words: string[]): Promise<Result>;
  /** The same, with options. */
  with(options: CallOptions, ...words: string[]): Promise<Result>;
  /** Runs it, expects exit status 0, and returns stdout without its last line end. */
  ok(...words: string[]): Promise<string>;
  /** Runs it with `--json` and returns the document. */
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what tests are about
  json(...words: string[]): Promise<any>;
  /** Starts it and does not wait; ended with the test at the latest. */
  start(...words: string[]): Running;
}

export interface Running {
  readonly pid: number;
  /** Its exit status, when all that it said has been read. */
  readonly exited: Promise<number>;
  kill(signal: NodeJS.Signals): void;
  /** What it said so far. */
  stdout(): string;
  stderr(): string;
  /** Waits until stderr contains a text. */
  says(text: string): Promise<void>;
}

/**
 * A queuectl with a new home. Disposing it ends whatever it started and removes the home. `through` are words that another program
 * runs it with.
 */
export function queuectl(
  env: Readonly<Record<string, string>> = {},
  through: readonly string[] = [],
): Queuectl {
  const folder: TempFolder = tempFolder();
  const home = join(folder.path, "home");
  const started: ReturnType<typeof Bun.spawn>[] = [];
  const environment = { ...cleanEnvironment(), QUEUECTL_HOME: home, ...env };

  async function run(options: CallOptions, words: string[]): Promise<Result> {
    const child = Bun.spawn([...through, ...program, ...words], {
      cwd: options.cwd ?? folder.path,
      env: { ...environment, ...options.env },
      stdin: options.stdin === undefined ? "ignore" : Buffer.from(options.stdin as string),
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    return { status: await child.exited, stdout, stderr };
  }

  async function ok(...words: string[]): Promise<string> {
    const { status, stdout, stderr } = await run({}, words);
    if (status !== 0) throw new Error(`queuectl ${words.join(" ")} ended with ${status}: ${stderr}`);
    return stdout.replace(/\n$/, "");
  }

  function start(...words: string[]): Running {
    const child = Bun.spawn([...through, ...program, ...words], {
      cwd: folder.path,
      env: environment,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    started.push(child);
    const texts = { stdout: "", stderr: "" };
    const read = (["stdout", "stderr"] as const).map((name) =>
      collect(child[name], (text) => (texts[name] += text)),
    );
    return {
      pid: child.pid,
      // What it started may hold its output open for longer.
      exited: child.exited.then(async (status) => {
        await Promise.race([Promise.all(read), Bun.sleep(2000)]);
        return status;
      }),
      kill: (signal) => child.kill(signal),
      stdout: () => texts.stdout,
      stderr: () => texts.stderr,
      says: async (text) => {
        await waitUntil(`it says "${text}" (said: ${texts.stderr})`, () => texts.stderr.includes(text));
      },
    };
  }

  const call = (...words: string[]) => run({}, words);
  return Object.assign(call, {
    home,
    folder: folder.path,
    with: (options: CallOptions, ...words: string[]) => run(options, words),
    ok,
    json: async (...words: string[]) => JSON.parse(await ok(...words, "--json")),
    start,
    async [Symbol.asyncDispose]() {
      await ok("worker", "stop", "--force", "--wait").catch(() => {});
      for (const child of started) child.kill("SIGKILL");
      await Promise.all(started.map((child) => child.exited));
      folder[Symbol.dispose]();
    },
  });
}

/** Without what would change queuectl's behaviour or come from the test run itself. */
function cleanEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter(
    ([name]) => !name.startsWith("QUEUECTL_") && !name.startsWith("npm_") && name !== "NODE_ENV",
  );
  return Object.fromEntries(entries) as Record<string, string>;
}

/** Hands on what a process prints, as text. */
export async function collect(
  stream: ReadableStream<Uint8Array>,
  add: (text: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) add(decoder.decode(chunk, { stream: true }));
}
