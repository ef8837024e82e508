// The word that was probably meant.

/** The nearest of the known words, or undefined when none is near. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  // All words begin with nothing.
  if (word === "") return undefined;
  let best: string | undefined;
  // The dashes of an option say nothing of what was meant.
  const letters = word.replace(/^-+/, "").length;
  let bestDistance = Math.max(1, Math.floor(letters / 3)) + 1;
  for (const candidate of known) {
    const near = candidate.startsWith(word) ? 1 : distance(word, candidate);
    if (near < bestDistance) [best, bestDistance] = [candidate, near];
  }
  return best;
}

export const didYouMean = (word: string, known: Iterable<string>) => {
  const near = nearest(word, known);
  return near === undefined ? undefined : `did you mean ${near}?`;
};

/**
 * The optimal string alignment distance (Damerau and Levenshtein): insertions, deletions, replacements and swaps of neighbours that
 * turn one word into the other.
 */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + Number(a[i - 1] !== b[j - 1]);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwap ? before[j - 2]! + 1 : Number.POSITIVE_INFINITY;
      next.push(Math.min(replaced, swapped, row[j]! + 1, next[j - 1]! + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length]!;
}
