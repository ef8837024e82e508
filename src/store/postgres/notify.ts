// Tells other processes that something changed, and hears it from them: a hint that saves waiting, by LISTEN and NOTIFY.

import type { SQL } from "bun";
import type { Watch } from "../store.ts";
import type { Connection } from "./connection.ts";

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

export function makeNotifier(connection: Connection): Notifier {
  const due = new Set<Channel>();
  let timer: Timer | undefined;
  let sending = Promise.resolve();

  const send = () => {
    const channels = [...due].map(channelName);
    due.clear();
    if (channels.length === 0) return;
    sending = connection
      .tell(
        (sql) => sql`select pg_notify(channel, '') from unnest(${sql.array(channels, "TEXT")}) as channel`,
      )
      // Whoever waits looks by itself from time to time.
      .then(
        () => {},
        () => {},
      );
  };
  const pause = () => {
    timer = setTimeout(() => {
      timer = undefined;
      if (due.size === 0) return;
      send();
      pause();
    }, pauseMs);
    timer.unref();
  };

  return {
    say(channel) {
      due.add(channel);
      if (timer !== undefined) return;
      send();
      pause();
    },
    async close() {
      clearTimeout(timer);
      await sending;
      send();
      await sending;
    },
  };
}

/**
 * Calls `onChange` after another process said so, and whenever listening begins, for what was said before. `listener` is a
 * client of its own: a pooler would hand its connection to somebody else.
 */
export function listen(listener: SQL, channels: readonly Channel[], onChange: () => void): Watch {
  let disposed = false;
  const told = () => {
    if (!disposed) onChange();
  };
  const subscriptions = channels.map((channel) =>
    listener.listen(channelName(channel), told, told).catch(() => undefined),
  );
  return {
    // Notifications are few: whoever changes something says so once in a while.
    hurry() {},
    [Symbol.dispose]() {
      disposed = true;
      void Promise.all(subscriptions)
        .then((all) => Promise.all(all.map((subscription) => subscription?.unlisten())))
        .catch(() => {})
        .finally(() => listener.close({ timeout: 0 }).catch(() => {}));
    },
  };
}
