// Contenders measured in turn: one round after another, each with every contender once, so that what else the machine does
// meets all of them alike.

/** One way to do the work. `run` gives what is measured, and throws when the work was not really done. */
export interface Contender {
  readonly name: string;
  run(): Promise<number>;
}

export interface Samples {
  readonly name: string;
  readonly values: readonly number[];
}

/** All benches together shall take no longer than ten minutes: on a slow machine there are fewer rounds, but two at least. */
const longMs = 40_000;

/**
 * As many rounds, or fewer when they take long. Every other one goes the other way round, so that nobody is always the one after
 * the same. What one left for the disk is written before the next begins: otherwise whoever syncs pays for those who do not.
 */
export async function inTurn(rounds: number, contenders: readonly Contender[]): Promise<Samples[]> {
  const values = new Map(contenders.map(({ name }) => [name, [] as number[]]));
  const begun = performance.now();
  for (let round = 0; round < rounds; round++) {
    if (round >= 2 && performance.now() - begun > longMs) break;
    for (const { name, run } of round % 2 === 0 ? contenders : contenders.toReversed()) {
      Bun.spawnSync(["sync"]);
      values.get(name)!.push(await run());
    }
  }
  return contenders.map(({ name }) => ({ name, values: values.get(name)! }));
}

export const median = (values: readonly number[]) => quantile(values, 0.5);

export function quantile(values: readonly number[], part: number): number {
  if (values.length === 0) throw new Error("there is nothing to take a median of");
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * part;
  const below = sorted[Math.floor(place)]!;
  return below + (sorted[Math.ceil(place)]! - below) * (place - Math.floor(place));
}

/** The median of each round's ratio: both had the machine in the same minute. */
export const ratioOf = (ours: Samples, theirs: Samples) =>
  median(ours.values.map((value, round) => value / theirs.values[round]!));

/** Refuses to report work that was not done. */
export function proved(what: string, count: number, wanted: number): void {
  if (count !== wanted) throw new Error(`${what}: ${count} instead of ${wanted}`);
}
