// A web server that keeps what is posted to it, and answers as a test wants.

interface Received {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what tests are about
  readonly json: any;
}

export interface Receiver extends Disposable {
  readonly url: string;
  readonly port: number;
  readonly received: readonly Received[];
  /** What it says from now on. */
  answer: (got: Received) => Response | Promise<Response>;
}

export function receiver(port = 0): Receiver {
  const received: Received[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port,
    async fetch(request) {
      const body = await request.text();
      const got: Received = {
        path: new URL(request.url).pathname,
        headers: Object.fromEntries(request.headers),
        body,
        json: JSON.parse(body),
      };
      received.push(got);
      return receiving.answer(got);
    },
  });
  const receiving: Receiver = {
    url: `http://127.0.0.1:${server.port}`,
    port: server.port!,
    received,
    answer: () => new Response("ok"),
    [Symbol.dispose]: () => void server.stop(true),
  };
  return receiving;
}

/** Never answers. */
export const silence = () => new Promise<Response>(() => {});
