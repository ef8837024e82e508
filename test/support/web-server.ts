// A dashboard as a user runs it: a real process with a home and a port of its own.

import { type Queuectl, queuectl, type Running } from "./queuectl.ts";
import { waitUntil } from "./wait-until.ts";

export interface WebServer extends AsyncDisposable {
  readonly q: Queuectl;
  readonly url: string;
  readonly port: number;
  readonly process: Running;
  /** Asks it as a browser of the same user does that sends no more than it is told. */
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  post(
    path: string,
    fields: Record<string, string> | [string, string][],
    headers?: Record<string, string>,
  ): Promise<Response>;
  api(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
}

export async function webServer(
  options: { words?: readonly string[]; env?: Record<string, string>; q?: Queuectl } = {},
): Promise<WebServer> {
  const q = options.q ?? queuectl(options.env);
  const process = q.start("web", "--port", "0", ...(options.words ?? []));
  const address = await waitUntil(
    `the server says where it listens (said: ${process.stderr()})`,
    () => /^(https?:\/\/\S+)/.exec(process.stdout())?.[1],
  );
  const url = address.replace(/\/$/, "");
  const ask = (path: string, init: RequestInit) => fetch(`${url}${path}`, { redirect: "manual", ...init });
  return {
    q,
    url,
    port: Number(new URL(url).port),
    process,
    get: (path, headers = {}) => ask(path, { headers: { accept: "text/html", ...headers } }),
    post: (path, fields, headers = {}) =>
      ask(path, {
        method: "POST",
        headers: { accept: "text/html", "content-type": "application/x-www-form-urlencoded", ...headers },
        body: new URLSearchParams(fields as Record<string, string>).toString(),
      }),
    api: (method, path, body, headers = {}) =>
      ask(`/api/v1${path}`, {
        method,
        headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    async [Symbol.asyncDispose]() {
      process.kill("SIGTERM");
      await process.exited;
      if (!options.q) await q[Symbol.asyncDispose]();
    },
  };
}
