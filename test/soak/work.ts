// The work of a soak: jobs of every kind that a queue meets, each a few tenths of a second long, so that a machine has time for
// others beside it.

interface Kind {
  /** How many of a hundred jobs. */
  readonly share: number;
  readonly command: string;
  readonly more?: object;
}

const kinds: readonly Kind[] = [
  { share: 50, command: "sleep 0.2" },
  { share: 15, command: "sleep 0.1; seq 1 5000" },
  { share: 10, command: "sleep 0.1; exit 3" },
  { share: 8, command: "sleep 0.1; kill -9 $$" },
  { share: 6, command: "sleep 5", more: { timeout: 0.5 } },
  { share: 6, command: "sleep 60 & sleep 0.1" },
  { share: 5, command: "sleep 0.1", more: { priority: 5, tags: ["soak", "urgent"], queue: "urgent" } },
];

/** So many jobs as JSON Lines; `random` gives numbers from 0 to 1. */
export const jobLines = (count: number, random: () => number) =>
  Array.from({ length: count }, () => `${JSON.stringify(jobOf(random() * 100))}\n`).join("");

function jobOf(place: number) {
  let left = place;
  for (const { share, command, more } of kinds) {
    left -= share;
    if (left < 0) return { command, ...more };
  }
  throw new Error("the shares are less than a hundred");
}
