// Tells other processes that something changed, and hears it from them: a hint that saves waiting, by LISTEN and NOTIFY.

import { randomUUIDv7, type SQL } from "bun";
import type { Watch } from "../store.ts";
import { type Address, readAddress } from "./address.ts";
import { type Connection, makeClient } from "./connection.ts";
import { plainly } from "./trouble.ts";

/** `work`: what a worker acts on. `news`: what else somebody may be waiting to see. */
type Channel = "work" | "news";

const channelName = (channel: Channel) => `queuectl_${channel}`;

export interface Notifier {
  /** Says so at once, or soon when it was just said. Outside of any transaction: a notification makes commits wait for each other. */
  say(channel: Channel): void;
  /** Says what is left to say. */
  close(): Promise<void>;
}

/** However much happens, a process says so no more often than this. */
const pauseMs = 50;

/** And as long as there is always more to say, with pauses that grow to this: who waits for work waits for less. */
const longestPauseMs: Readonly<Record<Channel, number>> = { work: pauseMs, news: 400 };

export function makeNotifier(connection: Connection): Notifier {
  const speakers = { work: makeSpeaker(connection, "work"), news: makeSpeaker(connection, "news") };
  return {
    say: (channel) => speakers[channel].say(),
    async close() {
      await Promise.all([speakers.work.close(), speakers.news.close()]);
    },
  };
}

/** The notifier of one channel. */
function makeSpeaker(connection: Connection, channel: Channel) {
  let isDue = false;
  let timer: Timer | undefined;
  let sending: Promise<void> | undefined;

  const send = () => {
    if (!isDue || sending) return;
    isDue = false;
    sending = connection
      .tell((sql) => sql`select pg_notify(${channelName(channel)}, '')`, "soon")
      // Whoever waits looks by itself from time to time.
      .then(
        () => {},
        () => {},
      )
      .finally(() => {
        sending = undefined;
      });
  };
  const pause = (ms: number) => {
    timer = setTimeout(() => {
      timer = undefined;
      if (!isDue) return;
      send();
      pause(Math.min(2 * ms, longestPauseMs[channel]));
    }, ms);
    timer.unref();
  };

  return {
    say() {
      isDue = true;
      if (timer !== undefined) return;
      send();
      pause(pauseMs);
    },
    async close() {
      clearTimeout(timer);
      await sending;
      send();
      await sending;
    },
  };
}

/** Where to listen; undefined for nowhere. `listenUrl` as QUEUECTL_LISTEN_URL has it. */
export function listeningAt(address: Address, listenUrl: string | undefined): Address | undefined {
  if (listenUrl === "off") return undefined;
  return listenUrl === undefined ? address : readAddress(listenUrl, "QUEUECTL_LISTEN_URL");
}

/**
 * Calls `onChange` after another process said so, and whenever listening begins, for what was said before. Listens by a connection of
 * its own at `address`: a pooler would hand it to somebody else. Where that breaks, it is made anew as long as it takes; where the
 * network swallows it, the keep-alive of TCP finds out within minutes. Meanwhile whoever waits looks by itself from time to time.
 */
export function listen(address: Address, channels: readonly Channel[], onChange: () => void): Watch {
  let listener: SQL | undefined;
  let timer: Timer | undefined;
  let disposed = false;
  const told = () => {
    if (!disposed) onChange();
  };

  function start(): void {
    // Bun would make it anew by itself, and write on stderr each time that it cannot.
    const lost = () => {
      if (listener !== own) return;
      listener = undefined;
      close(own);
      if (!disposed) timer = setTimeout(start, againMs * (0.5 + Math.random()));
    };
    const own = makeClient(address, { pooled: false, onClose: lost });
    listener = own;
    Promise.all(channels.map((channel) => own.listen(channelName(channel), told, told))).catch(lost);
  }

  start();
  return {
    // Notifications are few: whoever changes something says so once in a while.
    hurry() {},
    hasNews,
    [Symbol.dispose]() {
      disposed = true;
      clearTimeout(timer);
      // To unlisten would wait for a server that may not answer.
      if (listener) close(listener);
    },
  };
}

/**
 * Whether a word comes to who listens at `address`, as fast as `withinMs`; a pooler there takes who listens, and hands it nothing. Rejected
 * when nobody is let in there.
 */
export async function isHeard(connection: Connection, address: Address, withinMs: number): Promise<boolean> {
  const channel = `queuectl_try_${randomUUIDv7("hex").replaceAll("-", "")}`;
  const heard = Promise.withResolvers<boolean>();
  // Closed when it breaks: Bun would make it anew by itself, and write on stderr each time that it cannot.
  const listener = makeClient(address, { pooled: false, onClose: () => close(listener) });
  const timer = setTimeout(heard.resolve, withinMs, false);
  try {
    await listener.listen(channel, () => heard.resolve(true));
    await connection.ask((sql) => sql`select pg_notify(${channel}, '')`);
    return await heard.promise;
  } catch (error) {
    throw plainly(error, address.shown);
  } finally {
    clearTimeout(timer);
    close(listener);
  }
}

const close = (one: SQL) => void one.close({ timeout: 0 }).catch(() => {});

/** A question is a round trip, as each of those that it would save. */
export const hasNews = async () => true;

/** How long to wait before listening again, give or take a half: not all machines at once. */
const againMs = 4_000;
