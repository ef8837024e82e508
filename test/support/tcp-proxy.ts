// A network that a test can break: stands between a client and a server on this machine.

import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { freePort } from "./free-port.ts";

export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** The URL it stands for, by way of the proxy. */
  readonly url: string;
  /** As if it were not there. What was swallowed arrives now, as after a torn cable was mended. */
  pass(): Promise<void>;
  /** Resets all connections and refuses new ones, as a machine without the server does. */
  refuse(): Promise<void>;
  /** Resets all connections; new ones fare as those before. */
  cut(): void;
  /** Accepts connections and holds every byte, in both directions, as a torn cable does: neither side learns of anything. */
  swallow(): Promise<void>;
  /** How many connections there are. */
  connections(): number;
  /** How often a client has asked something since it had its last answer: what a far server makes it wait for. */
  roundTrips(): number;
}

/** Stands for the server of a URL with host and port; passes at first. */
export async function tcpProxy(url: string): Promise<TcpProxy> {
  const { hostname, port: targetPort } = new URL(url);
  const port = freePort();
  const pairs = new Set<Pair>();
  let swallowing = false;
  let roundTrips = 0;
  let server: Server | undefined;

  const accept = (client: Socket) => {
    const pair: Pair = [client, connect({ host: hostname, port: Number(targetPort), allowHalfOpen: true })];
    pairs.add(pair);
    let isAnswered = true;
    client.on("data", () => {
      roundTrips += Number(isAnswered);
      isAnswered = false;
    });
    pair[1].on("data", () => {
      isAnswered = true;
    });
    for (const [one, other] of bothWays(pair)) {
      one.on("error", () => {});
      one.on("close", () => {
        // The other side of a torn cable hears nothing.
        if (swallowing) return;
        other.destroy();
        pairs.delete(pair);
      });
    }
    if (swallowing) hold(pair);
    else join(pair);
  };
  const listen = async () => {
    if (server) return;
    server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, accept).listen(port, "127.0.0.1");
    await once(server, "listening");
  };
  const cut = () => {
    for (const pair of pairs) for (const socket of pair) socket.resetAndDestroy();
    pairs.clear();
  };
  const refuse = async () => {
    const closed = server && once(server, "close");
    server?.close();
    server = undefined;
    cut();
    await closed;
  };

  await listen();
  return {
    port,
    url: Object.assign(new URL(url), { host: `127.0.0.1:${port}` }).href,
    async pass() {
      swallowing = false;
      for (const pair of pairs) join(pair);
      await listen();
    },
    refuse,
    cut,
    async swallow() {
      swallowing = true;
      for (const pair of pairs) hold(pair);
      await listen();
    },
    connections: () => pairs.size,
    roundTrips: () => roundTrips,
    [Symbol.asyncDispose]: refuse,
  };
}

type Pair = readonly [client: Socket, server: Socket];

const bothWays = ([client, server]: Pair) =>
  [
    [client, server],
    [server, client],
  ] as const;

function join(pair: Pair): void {
  for (const [from, to] of bothWays(pair)) {
    if (from.destroyed) to.destroy();
    else from.pipe(to);
  }
}

function hold(pair: Pair): void {
  for (const [from, to] of bothWays(pair)) from.unpipe(to).pause();
}
