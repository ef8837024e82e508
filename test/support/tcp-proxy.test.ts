// The proxy that stands between a test and a server, which can be cut.

import { expect, setDefaultTimeout, test } from "bun:test";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tcpProxy } from "./tcp-proxy.ts";
import { waitUntil } from "./wait-until.ts";

setDefaultTimeout(180_000);

test("what passes arrives on the other side, and an end as well", async () => {
  await using server = await echoServer();
  await using proxy = await tcpProxy(server.url);
  const client = connectTo(proxy.port);
  client.socket.write("hello");
  await client.hears("hello");
  client.socket.end();
  await waitUntil("both sides ended", () => client.socket.closed && proxy.connections() === 0);
});

test("connections are refused, the old ones reset, and welcome again at the same port", async () => {
  await using server = await echoServer();
  await using proxy = await tcpProxy(server.url);
  const old = connectTo(proxy.port);
  old.socket.write("hello");
  await old.hears("hello");
  await proxy.refuse();
  await waitUntil(
    "the old one is reset",
    () => old.socket.closed && server.sockets.every((one) => one.closed),
  );
  const refused = connectTo(proxy.port);
  await waitUntil("the new one is refused", () => refused.error() === "ECONNREFUSED");
  await proxy.pass();
  const next = connectTo(proxy.port);
  next.socket.write("again");
  await next.hears("again");
});

test("connections are cut with a reset on both sides, and new ones pass", async () => {
  await using server = await echoServer();
  await using proxy = await tcpProxy(server.url);
  const old = connectTo(proxy.port);
  old.socket.write("hello");
  await old.hears("hello");
  proxy.cut();
  await waitUntil("the client was reset", () => old.error() === "ECONNRESET");
  await waitUntil("the server was reset", () => server.errors.includes("ECONNRESET"));
  const next = connectTo(proxy.port);
  next.socket.write("again");
  await next.hears("again");
});

test("swallowed bytes reach nobody, nobody is told, and all arrive once it passes again", async () => {
  await using server = await echoServer();
  await using proxy = await tcpProxy(server.url);
  const old = connectTo(proxy.port);
  old.socket.write("1");
  await old.hears("1");
  await proxy.swallow();
  const next = connectTo(proxy.port);
  await once(next.socket, "connect");
  old.socket.write("2");
  next.socket.write("3");
  for (const socket of server.sockets) socket.write("from the server");
  const direct = connectTo(server.port);
  for (const text of ["a", "ab", "abc"]) {
    direct.socket.write(text.at(-1)!);
    await direct.hears(text);
  }
  expect([server.received(), old.heard(), next.heard()]).toEqual(["1abc", "1", ""]);
  expect([old.socket.closed, next.socket.closed]).toEqual([false, false]);
  await proxy.pass();
  await next.hears("3");
  await old.hears("1from the server2");
});

test("a client that goes while all is swallowed is still there for the server", async () => {
  await using server = await echoServer();
  await using proxy = await tcpProxy(server.url);
  const client = connectTo(proxy.port);
  client.socket.write("1");
  await client.hears("1");
  await proxy.swallow();
  client.socket.resetAndDestroy();
  const direct = connectTo(server.port);
  direct.socket.write("a");
  await direct.hears("a");
  expect(server.sockets[0]!.closed).toBeFalse();
  await proxy.pass();
  await waitUntil("the server learns of it", () => server.sockets[0]!.closed);
});

function connectTo(port: number) {
  const socket = connect({ host: "127.0.0.1", port });
  let heard = "";
  let error: string | undefined;
  socket.on("data", (bytes) => {
    heard += bytes;
  });
  socket.on("error", ({ code }: NodeJS.ErrnoException) => {
    error = code;
  });
  return {
    socket,
    heard: () => heard,
    error: () => error,
    hears: (text: string) => waitUntil(`${text} is heard (heard: ${heard})`, () => heard === text),
  };
}

async function echoServer() {
  const sockets: Socket[] = [];
  const errors: (string | undefined)[] = [];
  let received = "";
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("data", (bytes) => {
      received += bytes;
      socket.write(bytes);
    });
    socket.on("error", ({ code }: NodeJS.ErrnoException) => errors.push(code));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `tcp://127.0.0.1:${port}`,
    sockets,
    errors,
    received: () => received,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
