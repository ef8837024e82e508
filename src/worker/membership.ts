// A worker process's place in the store: entered with its workers, renewed by heartbeats, and entered anew when others may have
// counted it as gone.

import { ignoreRefusal } from "../domain/errors.ts";
import { journalPath } from "../home.ts";
import { type Journal, openJournal } from "../runner/journal.ts";
import { homeMark } from "../runner/mark.ts";
import { ownIdentity } from "../runner/process-identity.ts";
import type { Store } from "../store/store.ts";
import { type Guardian, startGuardian } from "./guardian.ts";
import { guardAfter, type LeaseCare, steadyNow, watchLease } from "./lease.ts";

export interface MembershipOptions extends LeaseCare {
  readonly store: Store;
  readonly home: string;
  readonly version: string;
  /** Null for every queue. */
  readonly queues: readonly string[] | null;
  readonly worker_ids: readonly string[];
  /** Of its lease; null where leases do not end. */
  readonly leaseMs: number | null;
  /** The user's own. */
  readonly environment: Readonly<Record<string, string>>;
  /** Others have or may have the jobs that run here. Said once until it is entered anew. */
  onExpelled(): void;
}

export interface Membership extends Disposable {
  /** By which the store knows this process; another one when it is entered anew. */
  process_id(): number;
  /** Where the shells of its commands write to; another one when it is entered anew. */
  journal(): Journal;
  /** Whether the store does not know this process any more, or is about to forget it. */
  isExpelled(): boolean;
  /** Whether what ran has had to end, and nothing may be started for the time being. */
  hasLapsed(): boolean;
  /** Says that it is still there. */
  beat(): Promise<void>;
  /** What an answer of the store has shown. */
  expel(): void;
  /**
   * With workers of other names: those that it had may belong to whoever took their jobs. Nothing may run here or wait to be settled.
   */
  enterAnew(worker_ids: readonly string[]): Promise<void>;
  /** Takes these workers out, which are all but those that leave a command running. */
  leave(worker_ids: readonly string[], leavesRunning: boolean): Promise<void>;
}

interface Entry {
  readonly process_id: number;
  readonly journal: Journal;
  /** Undefined where leases do not end. */
  readonly guardian: Guardian | undefined;
}

/** Enters this process and its workers in the store. */
export async function enterStore(options: MembershipOptions): Promise<Membership> {
  const { store, home, version, queues } = options;
  const leaseMs = options.leaseMs ?? undefined;
  const lease = leaseMs === undefined ? undefined : watchLease(leaseMs, options);
  let expelled = false;
  let entry = await enter(options.worker_ids).catch((error) => {
    lease?.[Symbol.dispose]();
    throw error;
  });

  async function enter(worker_ids: readonly string[]): Promise<Entry> {
    const askedAt = steadyNow();
    // By the name that its commands carry, so that they are found also after the home was moved.
    const journal = openJournal(journalPath(homeMark(home), store.output?.queue, worker_ids[0]!));
    let guardian: Guardian | undefined;
    try {
      if (leaseMs !== undefined)
        guardian = startGuardian(journal.path, askedAt + leaseMs * guardAfter, options.environment);
      const identity = ownIdentity();
      const process_id = await store.workers.register({
        identity,
        home,
        version,
        queues,
        worker_ids,
        journal: journal.path,
        leaseMs,
      });
      lease?.renewed(askedAt);
      expelled = false;
      return { process_id, journal, guardian };
    } catch (error) {
      guardian?.dismiss();
      journal.remove();
      throw error;
    }
  }

  function expel(): void {
    if (expelled) return;
    expelled = true;
    options.onExpelled();
  }

  async function beat(): Promise<void> {
    const { process_id } = entry;
    const askedAt = steadyNow();
    const isKnown = await store.workers.heartbeat(process_id, leaseMs);
    // The answer may be about an entry that has been given up meanwhile.
    if (process_id !== entry.process_id) return;
    if (isKnown) renew(askedAt);
    if (!isKnown || entry.guardian?.hasActed()) expel();
  }

  function renew(askedAt: number): void {
    lease?.renewed(askedAt);
    entry.guardian?.renew(askedAt + leaseMs! * guardAfter);
  }

  return {
    process_id: () => entry.process_id,
    journal: () => entry.journal,
    isExpelled: () => expelled,
    hasLapsed: () => (lease?.hasLapsed() || entry.guardian?.hasActed()) ?? false,
    beat,
    expel,
    async enterAnew(worker_ids) {
      const { process_id, journal, guardian } = entry;
      entry = await enter(worker_ids);
      guardian?.dismiss();
      journal.remove();
      // Where the store still knows it, it would stand there as idle until its lease ends.
      await store.workers.forget(process_id).catch(ignoreRefusal);
    },
    async leave(worker_ids, leavesRunning) {
      // The next worker gets all the time that there is.
      if (leavesRunning) await beat().catch(ignoreRefusal);
      await store.workers.leave(worker_ids);
      if (leavesRunning) return;
      entry.guardian?.dismiss();
      entry.journal.remove();
    },
    [Symbol.dispose]: () => lease?.[Symbol.dispose](),
  };
}
