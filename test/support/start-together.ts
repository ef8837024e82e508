// Processes that begin their work at the same moment, so that they really race.

import { resolve } from "node:path";

/** In a program: says that it is ready, and waits until all are. */
export async function startSignal(): Promise<void> {
  process.stdout.write("ready\n");
  for await (const _line of console) return;
}

/** Runs as many processes of a program in `test/programs/`, and returns the lines that each printed. */
export async function runTogether(
  processes: number,
  [program, ...words]: readonly [string, ...string[]],
  environment: Readonly<Record<string, string>>,
): Promise<string[][]> {
  const path = resolve(import.meta.dir, "../programs", program);
  const children = Array.from({ length: processes }, () =>
    Bun.spawn([process.execPath, path, ...words], {
      env: { ...process.env, ...environment },
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    }),
  );
  try {
    const outputs = children.map((child) => linesOf(child.stdout));
    for (const output of outputs) {
      const { value } = await output.next();
      if (value !== "ready") throw new Error(`${program} is not ready: ${value}`);
    }
    for (const child of children) {
      child.stdin.write("go\n");
      await child.stdin.end();
    }
    const lines = await Promise.all(outputs.map((output) => Array.fromAsync(output)));
    for (const child of children) {
      const status = await child.exited;
      if (status !== 0) throw new Error(`${program} ended with ${status}`);
    }
    return lines;
  } finally {
    for (const child of children) child.kill("SIGKILL");
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
  if (rest !== "") yield rest;
}
