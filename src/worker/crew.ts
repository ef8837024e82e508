// The workers of one process: who is present, and who is about to leave.

export interface Crew {
  present(): readonly string[];
  /** Those that may be given a job, when these are busy. */
  idle(busy: ReadonlySet<string>): string[];
  /** A worker that came with the job of a dead process, and leaves when that is settled. */
  join(worker_id: string): void;
  /** Lets one leave when it has nothing at hand any more. */
  leave(worker_id: string): void;
  areAllLeaving(): boolean;
  /** Those that leave and have nothing at hand; none when they are the last, which go with their process. */
  ready(busy: ReadonlySet<string>): string[];
  remove(worker_id: string): void;
  /** How many stay. */
  staying(): number;
  /** Puts others in the place of all. */
  replace(worker_ids: readonly string[]): void;
}

export function makeCrew(worker_ids: readonly string[]): Crew {
  let present = new Set(worker_ids);
  const leaving = new Set<string>();

  return {
    present: () => [...present],
    idle: (busy) => [...present].filter((id) => !busy.has(id) && !leaving.has(id)),
    join(worker_id) {
      present.add(worker_id);
      leaving.add(worker_id);
    },
    leave: (worker_id) => void leaving.add(worker_id),
    areAllLeaving: () => [...present].every((id) => leaving.has(id)),
    ready(busy) {
      const ready = [...leaving].filter((id) => present.has(id) && !busy.has(id));
      return ready.length === present.size ? [] : ready;
    },
    remove: (worker_id) => void present.delete(worker_id),
    staying: () => [...present].filter((id) => !leaving.has(id)).length,
    replace(worker_ids) {
      present = new Set(worker_ids);
      leaving.clear();
    },
  };
}
