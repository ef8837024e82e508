// The dashboard of a home, served by a process of its own as users have it.

import { binary, type Home } from "./program.ts";

export interface Dashboard {
  /** Reads the first page of all jobs. */
  first(): Promise<void>;
  stop(): Promise<void>;
}

export async function dashboard(home: Home): Promise<Dashboard> {
  const child = Bun.spawn([...binary(), "web", "start", "--port", "0"], {
    env: { ...process.env, ...home.env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
  });
  const address = await firstLine(child.stdout);
  return {
    async first() {
      const reply = await fetch(new URL("/jobs", address));
      const text = await reply.text();
      if (!reply.ok || !text.includes("/jobs/")) throw new Error(`the dashboard answered ${reply.status}`);
    },
    async stop() {
      child.kill("SIGTERM");
      await child.exited;
    },
  };
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  while (!text.includes("\n")) {
    const { done, value } = await reader.read();
    if (done) throw new Error("the dashboard did not start");
    text += decoder.decode(value, { stream: true });
  }
  return text.split("\n")[0]!;
}
