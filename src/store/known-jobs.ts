// Of a list of jobs those that are none of their own: they were there already, or stand in the list before.

/** By their place, counted from 1: the id of the job that was there, or the place of the one before. */
export type KnownJobs = ReadonlyMap<number, string | number>;

/** A job of a list that is enqueued once: its place, and the id of the one that is there. */
export interface Wish {
  readonly place: number;
  readonly unique_key: string;
  readonly there: string | null;
}

/** What stands for which, from those that are enqueued once, in the order of the list. */
export function knownAmong(wishes: readonly Wish[]): KnownJobs {
  const stored = new Map<string, number>();
  const known = new Map<number, string | number>();
  for (const { place, unique_key, there } of wishes) {
    const same = stored.get(unique_key) ?? there;
    if (same === null) stored.set(unique_key, place);
    else known.set(place, same);
  }
  return known;
}

/** The ids of a list in its order, from those that were stored and those that are known. */
export async function* withKnown(stored: AsyncIterable<string>, known: KnownJobs): AsyncIterable<string> {
  const pointedAt = new Set([...known.values()].filter((value) => typeof value === "number"));
  const ids = new Map<number, string>();
  let place = 0;
  const nextKnown = () => {
    const same = known.get(place + 1);
    if (same === undefined) return undefined;
    place++;
    return typeof same === "string" ? same : ids.get(same)!;
  };
  for await (const id of stored) {
    for (let same = nextKnown(); same !== undefined; same = nextKnown()) yield same;
    place++;
    if (pointedAt.has(place)) ids.set(place, id);
    yield id;
  }
  for (let same = nextKnown(); same !== undefined; same = nextKnown()) yield same;
}
