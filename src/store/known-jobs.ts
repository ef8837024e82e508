// Of a list of jobs those that are none of their own: they were there already, or stand in the list before.

/** By their place, counted from 1: the id of the job that was there, or the place of the one before. */
export type KnownJobs = ReadonlyMap<number, string | number>;

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
