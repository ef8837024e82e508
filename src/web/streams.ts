// Answers that take their time: event streams, and logs as they are.

import type { Log } from "../store/logs.ts";
import { Problem } from "./errors.ts";
import { shieldHeaders, textReply } from "./reply.ts";
import { callerOf, type Web } from "./web.ts";

export interface ServerEvent {
  readonly event?: string;
  readonly id?: string;
  readonly data: string;
}

export type Send = (event: ServerEvent) => void;

/** Streams open at once, of all browsers together. */
const mostStreams = 64;
let streams = 0;

/** So often something is sent at least, so that proxies do not take the stream for dead, and it is asked who reads. */
const pingMs = 5_000;

/** An event as it is written: whatever is in the data, it cannot end the event or begin another. */
export function eventText({ event, id, data }: ServerEvent): string {
  const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
  return `${event === undefined ? "" : `event: ${event}\n`}${id === undefined ? "" : `id: ${id}\n`}${lines.join("")}\n`;
}

/** A stream as who writes it has it. */
export interface EventStream {
  readonly send: Send;
  readonly signal: AbortSignal;
  /** Fulfilled when its reader has taken most of what was sent. Who sends much waits for it, so that it does not all lie here. */
  room(): Promise<void>;
}

/** Bytes that may lie here for a reader. */
const mostUnread = 256 * 1024;
const roomMs = 50;

/** Sends what `produce` says until it is fulfilled, the browser goes or may not read any more, or the server stops. */
export function eventStream(
  web: Web,
  request: Request,
  produce: (stream: EventStream) => Promise<void>,
): Response {
  const headers = {
    ...shieldHeaders(),
    "content-type": "text/event-stream; charset=utf-8",
    "x-accel-buffering": "no",
  };
  // Nobody would read it.
  if (request.method === "HEAD") return new Response(null, { headers });
  if (streams >= mostStreams) {
    throw new Problem(503, "streams", `${mostStreams} event streams are open already`, "close some tabs", {
      headers: { "retry-after": "10" },
    });
  }
  streams++;
  web.hold(request);
  const gone = new AbortController();
  const signal = AbortSignal.any([gone.signal, request.signal, web.stopping]);
  const encoder = new TextEncoder();
  const unread = new ByteLengthQueuingStrategy({ highWaterMark: mostUnread });
  const start = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
    const write = (text: string) => {
      if (!signal.aborted) controller.enqueue(encoder.encode(text));
    };
    const room = async () => {
      do await Bun.sleep((controller.desiredSize ?? 0) > 0 ? 0 : roomMs);
      while (!signal.aborted && (controller.desiredSize ?? 0) <= 0);
    };
    const ping = setInterval(async () => {
      if (await mayStillRead(web, request)) write(": still here\n\n");
      else gone.abort();
    }, pingMs);
    try {
      write(": welcome\n\n");
      await produce({ send: (event) => write(eventText(event)), signal, room });
    } catch {
      // The stream ends; the browser asks again, and is then told what is wrong.
    } finally {
      clearInterval(ping);
      // A ping may still be asking who reads.
      gone.abort();
      streams--;
      try {
        controller.close();
      } catch {
        // The browser closed it first.
      }
    }
  };
  const body = new ReadableStream<Uint8Array>({ start, cancel: () => gone.abort() }, unread);
  return new Response(body, { headers });
}

/** A session may be over since, or its token be another one. Who was let in as the same user is that; whoever cannot be known is nobody. */
const mayStillRead = async ({ access }: Web, request: Request): Promise<boolean> =>
  callerOf(request)?.name === "same user" ||
  access.identify(request).then(
    (caller) => caller !== undefined,
    () => false,
  );

const pieceBytes = 256 * 1024;

/**
 * All that is kept of a log as plain text, read as it is sent; `Range: bytes=from-` sends the rest of it. What was left out is told in a
 * header: how much, and after how many bytes.
 */
export async function rawLog(log: Log, name: string, request: Request): Promise<Response> {
  const gap = await log.gap();
  const size = await log.size();
  const missing = gap ? gap.to - gap.from : 0;
  const kept = size - missing;
  const from = rangeStart(request.headers.get("range"), kept);
  const begin = from === undefined ? 0 : gap && from >= gap.from ? from + missing : from;
  const isHead = request.method === "HEAD";
  const body = isHead ? logBody(blank(log), 0, kept - (from ?? 0)) : logBody(log, begin, size);
  const reply = textReply(body, {
    "content-disposition": `attachment; filename="${name.replace(/[^A-Za-z0-9._-]/g, "_")}"`,
    "accept-ranges": "bytes",
    ...(gap && { "queuectl-left-out": `bytes=${missing}; after=${gap.from}` }),
  });
  if (from === undefined) return reply;
  reply.headers.set("content-range", `bytes ${from}-${kept - 1}/${kept}`);
  return new Response(reply.body, { status: 206, headers: reply.headers });
}

/** In the place of a log: of the answer to a HEAD Elysia counts the bytes, and does not care for which. */
const blank = (log: Log): Log => ({
  ...log,
  read: async (start, length) => ({ start, bytes: Buffer.alloc(length) }),
});

/** A log from a place to another, read as it is taken, and closed then. */
function logBody(log: Log, begin: number, end: number): ReadableStream<Uint8Array> {
  let at = begin;
  let isOpen = true;
  const close = () => {
    if (isOpen) log[Symbol.dispose]();
    isOpen = false;
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { start, bytes } = await log.read(at, pieceBytes).catch((error) => {
        close();
        throw error;
      });
      const piece = bytes.subarray(0, Math.max(0, end - start));
      at = start + piece.length;
      if (piece.length > 0) controller.enqueue(new Uint8Array(piece));
      if (piece.length > 0 && at < end) return;
      close();
      controller.close();
    },
    cancel: close,
  });
}

function rangeStart(range: string | null, size: number): number | undefined {
  const match = /^bytes=(\d{1,15})-$/.exec(range ?? "");
  return match && Number(match[1]) < size ? Number(match[1]) : undefined;
}
