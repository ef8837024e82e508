// A few connections to one database, opened when they are needed and closed when they idle. Bun's own pool opens all that it may
// at its first question; so each lane here is a client of one connection.

import type { SQL } from "bun";
import { Refusal } from "../../domain/errors.ts";
import { isCrowded, isStale, Unanswered } from "./trouble.ts";

export interface Lanes {
  /**
   * Asks over a lane that is free, or over the one with the least to do when no more may be opened. Fails with `Unanswered` after
   * `limitMs`, unless the server is still `there`: what was asked may be done all the same, even much later.
   */
  run<T>(ask: (sql: SQL) => Promise<T>, options: RunOptions): Promise<T>;
  close(): Promise<void>;
}

interface RunOptions {
  readonly limitMs: number;
  /** Asked after each `limitMs` whether to wait on. */
  readonly there?: (() => Promise<boolean>) | undefined;
  /** Waits behind nothing else: opens a lane more than others may. */
  readonly urgent?: boolean | undefined;
}

export interface LaneOptions {
  readonly open: (onClose: () => void) => SQL;
  readonly most: number;
  /** Asked of every new connection before it is used: whether it leads to the right place. */
  readonly check: (sql: SQL) => Promise<void>;
}

interface Lane {
  readonly sql: SQL;
  users: number;
  checked: boolean;
}

/** How long to make do with the lanes there are after the server had no connection left. */
const crowdedMs = 5_000;

export function openLanes({ open, most, check }: LaneOptions): Lanes {
  const lanes: Lane[] = [];
  let crowdedUntil = 0;
  let closed = false;

  function add(): Lane {
    const lane: Lane = {
      sql: open(() => {
        lane.checked = false;
      }),
      users: 0,
      checked: false,
    };
    lanes.push(lane);
    return lane;
  }

  function pick(urgent: boolean): Lane {
    // The first one that is free: those behind it idle, and close.
    const free = lanes.find(({ users }) => users === 0);
    if (free) return free;
    const mayOpen = (urgent || lanes.length < most) && performance.now() >= crowdedUntil;
    if (lanes.length === 0 || mayOpen) return add();
    return lanes.reduce((best, lane) => (lane.users < best.users ? lane : best));
  }

  /** Whatever is under way there fails. */
  function drop(lane: Lane): void {
    const place = lanes.indexOf(lane);
    if (place < 0) return;
    lanes.splice(place, 1);
    void lane.sql.close({ timeout: 0 }).catch(() => {});
  }

  async function over<T>(lane: Lane, ask: (sql: SQL) => Promise<T>): Promise<T> {
    if (!lane.checked) {
      await check(lane.sql);
      lane.checked = true;
    }
    return ask(lane.sql);
  }

  async function run<T>(ask: (sql: SQL) => Promise<T>, options: RunOptions): Promise<T> {
    const { limitMs, there, urgent = false } = options;
    if (closed) throw new Refusal("unavailable", "the way to the database was closed");
    const lane = pick(urgent);
    lane.users++;
    let timer: Timer | undefined;
    const silence = new Promise<never>((_, reject) => {
      timer = setInterval(async () => {
        if (!(await there?.())) reject(new Unanswered());
      }, limitMs);
    });
    try {
      return await Promise.race([over(lane, ask), silence]);
    } catch (error) {
      if (isStale(error)) drop(lane);
      if (!isCrowded(error) || lanes.length === 0) throw error;
      crowdedUntil = performance.now() + crowdedMs;
    } finally {
      clearInterval(timer);
      lane.users--;
    }
    // It never got in, and there are others that did.
    return run(ask, options);
  }

  return {
    run,
    async close() {
      closed = true;
      await Promise.all(lanes.splice(0).map(({ sql }) => sql.close({ timeout: 0 }).catch(() => {})));
    },
  };
}
