// The chart of a soak: a small picture for each measure, from zero up, over the same time.

import type { Measure, Sample } from "./samples.ts";

const titles: Readonly<Record<Measure, string>> = {
  runs_per_second: "runs a second",
  worker_mb: "memory of the worker process, MB",
  web_mb: "memory of the dashboard, MB",
  worker_files: "open files of the worker process",
  web_files: "open files of the dashboard",
  wal_mb: "write-ahead log, MB",
  database_mb: "database, MB",
  logs_mb: "log folder, MB",
  jobs: "jobs present",
};

const [width, height, gap, columns] = [300, 110, 24, 3];

/** An SVG that reads on light and on dark pages. */
export function chartOf(samples: readonly Sample[]): string {
  const measures = Object.keys(titles) as Measure[];
  const rows = Math.ceil(measures.length / columns);
  const size = { width: columns * (width + gap) + gap, height: rows * (height + 2 * gap) + gap };
  const pictures = measures.map((measure, index) => {
    const x = gap + (index % columns) * (width + gap);
    const y = gap + Math.floor(index / columns) * (height + 2 * gap);
    return `<g transform="translate(${x} ${y})">${picture(samples, measure)}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" font-family="sans-serif" font-size="11">
<title>What a queue looks like while a soak runs</title>
<style>text { fill: #57606a } .line { fill: none; stroke: #2563eb; stroke-width: 1.5 } .axis { stroke: #8c959f; stroke-width: 0.5 }
@media (prefers-color-scheme: dark) { text { fill: #adbac7 } .line { stroke: #6ea8fe } }</style>
${pictures.join("\n")}
</svg>
`;
}

function picture(samples: readonly Sample[], measure: Measure): string {
  const most = Math.max(1, ...samples.map((sample) => sample[measure])) * 1.1;
  const last = samples.at(-1)!.seconds;
  const points = samples.map(
    (sample) =>
      `${((sample.seconds / last) * width).toFixed(1)},${(height - (sample[measure] / most) * height).toFixed(1)}`,
  );
  return [
    `<text y="-6">${titles[measure]}</text>`,
    `<line class="axis" y1="${height}" x2="${width}" y2="${height}"/><line class="axis" y2="${height}"/>`,
    `<polyline class="line" points="${points.join(" ")}"/>`,
    `<text y="${height + 13}">0</text>`,
    `<text x="${width}" y="${height + 13}" text-anchor="end">${Math.round(last / 60)} min, at most ${(most / 1.1).toFixed(1)}</text>`,
  ].join("");
}
