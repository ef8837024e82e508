// What the demo's queue holds: jobs of every kind and fate, and schedules that keep it busy.

import type { JobRequest } from "../../domain/job.ts";

/** Jobs in the order in which they are enqueued; `now` in ms. */
export const demoJobs = (now: number): JobRequest[] => [
  { id: "holiday", command: "./encode holiday.mov", queue: "media", tags: ["video"], priority: 3 },
  {
    id: "train-faces",
    command: "./train faces.toml",
    queue: "gpu",
    tags: ["ml"],
    priority: 4,
    timeout: 7200,
  },
  { id: "orders", command: "./import orders.csv", tags: ["shop"], priority: 5, max_retries: 2 },
  { id: "photos", command: "./sync ~/Photos", tags: ["backup"], priority: 4 },
  { id: "weather", command: "./weather Berlin", priority: 4, max_retries: 1, timeout: 4 },
  { id: "sales", command: "./report sales --by region", tags: ["shop", "monthly"], priority: 2 },
  { id: "invoice", command: "./no-such-program invoice.pdf", tags: ["shop"], priority: 5, max_retries: 0 },
  { id: "concert", command: "./encode concert.mov", queue: "media", tags: ["video"] },
  { id: "archive", command: "./report year --pdf", tags: ["monthly"], run_at: now + 3_600_000 },
  ...Array.from({ length: 60 }, (_, n) => ({
    command: `./thumbnail DSC_${String(4200 + n)}.jpg`,
    queue: "media",
    tags: ["photos"],
    priority: n % 10 === 0 ? 2 : 1,
  })),
];

export const demoSchedules: readonly { name: string; cron: string; job: JobRequest }[] = [
  {
    name: "site",
    cron: "*/10 * * * * *",
    job: { command: "./check https://shop.example", tags: ["shop"], priority: 3 },
  },
  { name: "uploads", cron: "*/25 * * * * *", job: { command: "./thumbnail upload.jpg", queue: "media" } },
  {
    name: "stock",
    cron: "* * * * *",
    job: { command: "./import stock.csv", tags: ["shop"], max_retries: 1 },
  },
  { name: "nightly", cron: "30 2 * * *", job: { command: "./sync ~/Documents", tags: ["backup"] } },
];
