// Event streams: what lies in the server for a slow reader is bounded, and nobody reads on who may not read any more.

import { expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import type { Log } from "../../src/store/logs.ts";
import type { Store } from "../../src/store/store.ts";
import { eventStream, rawLog } from "../../src/web/streams.ts";
import { webOf } from "../support/web-of.ts";
import { webServer } from "../support/web-server.ts";

setDefaultTimeout(60_000);

const request = () => new Request("http://localhost/stream");
const web = webOf({} as Store, "/");

test("a writer waits for a reader that is slower", async () => {
  const piece = "x".repeat(64 * 1024);
  let sent = 0;
  const { body } = eventStream(web, request(), async ({ send, room }) => {
    for (let n = 0; n < 100; n++) {
      send({ data: piece });
      sent += piece.length;
      await room();
    }
  });
  let received = 0;
  for await (const chunk of body!) {
    received += chunk.length;
    expect(sent - received).toBeLessThan(1024 * 1024);
    await Bun.sleep(1);
  }
  expect(received).toBeGreaterThan(sent);
});

test("of a log nothing is read for who wants the headers alone", async () => {
  const done: string[] = [];
  const log: Log = {
    name: "1",
    gap: async () => undefined,
    size: async () => 100,
    async read(start) {
      done.push("read");
      return { start, bytes: Buffer.alloc(0) };
    },
    [Symbol.dispose]: () => done.push("closed"),
  };
  const head = new Request("http://localhost/log", { method: "HEAD", headers: { range: "bytes=40-" } });
  const answer = await rawLog(log, "1.log", head);
  expect([answer.status, answer.headers.get("content-range")]).toEqual([206, "bytes 40-99/100"]);
  expect((await answer.bytes()).length).toBe(60);
  expect(done).toEqual(["closed"]);
  const behind = new Request("http://localhost/log", { method: "HEAD", headers: { range: "bytes=100-" } });
  expect((await rawLog(log, "1.log", behind)).status).toBe(200);
});

test("a log is closed when its reader goes", async () => {
  let isClosed = false;
  const log: Log = {
    name: "1",
    gap: async () => undefined,
    size: async () => 1e6,
    read: async (start) => ({ start, bytes: Buffer.alloc(1) }),
    [Symbol.dispose]: () => {
      isClosed = true;
    },
  };
  await (await rawLog(log, "1.log", request())).body!.cancel();
  expect(isClosed).toBe(true);
});

test("no more than 64 are open at once, and one that ends makes room for another", async () => {
  const open = () =>
    eventStream(web, request(), async ({ signal }) => {
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    });
  const streams = Array.from({ length: 64 }, open);
  expect(streams[0]!.headers.get("x-content-type-options")).toBe("nosniff");
  expect(open).toThrow("64 event streams are open already");
  await streams.pop()!.body!.cancel();
  streams.push(open());
  expect(open).toThrow("64 event streams are open already");
  for (const { body } of streams) await body!.cancel();
});

test("a stream ends when its session does", async () => {
  let isIn = true;
  const access = {
    ...web.access,
    identify: async () => (isIn ? await web.access.identify(request()) : undefined),
  };
  const { body } = eventStream({ ...web, access }, request(), async ({ signal }) => {
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  });
  const reader = body!.getReader();
  await reader.read();
  isIn = false;
  expect((await reader.read()).done).toBe(true);
});

test("a stream ends when it cannot be known any more who reads", async () => {
  await using server = await webServer({ words: ["--require-token"] });
  const { token } = await server.q.json("web", "token");
  const stream = await server.get("/api/v1/events", { authorization: `Bearer ${token}` });
  const reader = stream.body!.getReader();
  expect((await reader.read()).done).toBe(false);
  chmodSync(join(server.q.home, "web-token"), 0o644);
  while (!(await reader.read()).done);
  expect(server.process.stderr()).not.toContain(" at ");
});

test("who reads is asked in vain of a stream that has ended meanwhile", async () => {
  const asked = Promise.withResolvers<void>();
  const told = Promise.withResolvers<void>();
  const access = {
    ...web.access,
    async identify() {
      asked.resolve();
      await told.promise;
      return web.access.identify(request());
    },
  };
  const { body } = eventStream({ ...web, access }, request(), () => asked.promise);
  for await (const _ of body!);
  told.resolve();
  await Bun.sleep(0);
});
