// What a page costs with a thousand jobs and with a million: `bun bench/dashboard.ts [jobs]`. Prints milliseconds and their ratio.

import { Database } from "bun:sqlite";
import { openSqlite } from "../src/store/sqlite/open.ts";
import { makeApp } from "../src/web/app.ts";
import { tempFolder } from "../test/support/temp-home.ts";
import { webOf } from "../test/support/web-of.ts";

const many = Number(process.argv[2] ?? 1_000_000);
const runs = 40;

const states = ["pending", "completed", "completed", "completed", "completed", "dead", "failed", "cancelled"];
const queues = ["default", "mail", "video"];

/** Written past the store: a million jobs by their ordinary way would take an hour. */
function fill(path: string, jobs: number): void {
  using db = new Database(path);
  db.run("pragma synchronous = off");
  const insert = db.prepare(`
    insert into jobs (
      id, command, state, ready, max_retries, priority, timeout, queue, tags, cwd, env, run_at, next_run_at, created_at,
      updated_at, finished_at, last_duration, last_exit_code, attempts, attempt_number
    ) values (?, ?, ?, ?, 3, 1, 0, ?, '["x"]', '/', '{}', ?, ?, ?, ?, ?, 1, ?, 1, 1)
  `);
  const tag = db.prepare("insert into job_tags (tag, seq) values ('x', ?)");
  const counts = new Map<string, number>();
  const now = Date.now();
  db.transaction(() => {
    for (let n = 1; n <= jobs; n++) {
      const [state, queue] = [states[n % 8]!, queues[n % 3]!];
      const waits = state === "pending" || state === "failed";
      const command = `ffmpeg -i in-${n}.mov out-${n}.mp4`;
      const due = waits ? now - n : null;
      insert.run(
        `job-${n}`,
        command,
        state,
        Number(waits && n % 2 === 0),
        queue,
        now,
        due,
        now,
        now,
        waits ? null : now,
        state === "dead" ? 1 : 0,
      );
      tag.run(n);
      counts.set(`${queue} ${state}`, (counts.get(`${queue} ${state}`) ?? 0) + 1);
    }
  })();
  for (const [key, count] of counts) {
    const [queue, state] = key.split(" ");
    db.run("insert into counts (queue, state, jobs, ms) values (?, ?, ?, ?)", [
      queue!,
      state!,
      count,
      count * 1000,
    ]);
  }
}

async function server(jobs: number, home: string) {
  const path = `${home}/queue.db`;
  await (await openSqlite({ path }))[Symbol.asyncDispose]();
  fill(path, jobs);
  return makeApp(webOf(await openSqlite({ path }), home));
}

const paths = [
  "/",
  "/p/overview",
  "/jobs",
  "/p/jobs",
  "/jobs?state=dead",
  "/jobs?queue=mail&state=completed",
  "/jobs?tag=x&state=dead",
  "/jobs?q=ffmpeg",
  "/jobs?q=nothing-like-it",
  "/jobs?before=900",
  "/jobs/job-500",
  "/dlq",
  "/p/dlq",
  "/workers",
  "/queues",
  "/settings",
  "/metrics",
  "/confirm/purge",
];

async function median(app: Awaited<ReturnType<typeof server>>, path: string): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const began = performance.now();
    await (
      await app.handle(new Request(`http://localhost${path}`, { headers: { accept: "text/html" } }))
    ).text();
    times.push(performance.now() - began);
  }
  return times.sort((a, b) => a - b)[runs / 2]!;
}

using smallHome = tempFolder();
using largeHome = tempFolder();
const small = await server(1000, smallHome.path);
const large = await server(many, largeHome.path);
console.log(`${"page".padEnd(36)}    1000  ${String(many).padStart(8)}  ratio`);
for (const path of paths) {
  const [few, lots] = [await median(small, path), await median(large, path)];
  console.log(
    `${path.padEnd(36)} ${few.toFixed(2).padStart(7)}  ${lots.toFixed(2).padStart(8)}  ${(lots / few).toFixed(2)}`,
  );
}
process.exit();
