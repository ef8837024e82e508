// How many of a thing there are, in words.

/** `3 workers`, `1 worker`. `shown`: the number as it is written. */
export const counted = (n: number, thing: string, shown = String(n)) =>
  `${shown} ${thing}${n === 1 ? "" : "s"}`;
