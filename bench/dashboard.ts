// dashboard: what every page, and the part of it that refreshes, costs with a thousand jobs and with a million. Each question is
// answered from the database: nothing is shared as it would be between tabs.

import { Database } from "bun:sqlite";
import { openSqlite } from "../src/store/sqlite/open.ts";
import { makeApp, type WebApp } from "../src/web/app.ts";
import type { Web } from "../src/web/web.ts";
import { webOf } from "../test/support/web-of.ts";
import type { Bench } from "./bench.ts";
import { scratch } from "./scratch.ts";
import { figure } from "./table.ts";

const [few, many] = [1000, 1_000_000];
const rounds = 80;

/** No id is the beginning of another. */
const idOf = (n: number) => `job-${String(n).padStart(7, "0")}`;

const paths = [
  "/",
  "/?span=day",
  "/jobs",
  "/jobs?state=dead",
  "/jobs?queue=mail&state=completed",
  "/jobs?tag=x",
  "/jobs?tag=x&state=dead",
  "/jobs?q=ffmpeg",
  `/jobs?q=${idOf(500)}`,
  "/jobs?q=nothing-like-it",
  "/jobs?q=nothing-like-it&state=dead",
  "/jobs?q=nothing-like-it&state=dead&queue=mail",
  "/jobs?q=nothing-like-it&tag=x&state=dead",
  "/jobs?before=900",
  `/jobs/${idOf(500)}`,
  "/dlq",
  "/dlq?q=nothing-like-it",
  "/workers",
  "/queues",
  "/settings",
  "/enqueue",
  "/confirm/jobs?do=delete&all=yes&state=dead",
  "/confirm/purge",
  "/api/v1/stats",
  "/api/v1/jobs",
  `/api/v1/jobs/${idOf(500)}`,
  "/metrics",
];

/** What refreshes itself. */
const parts = [
  "/p/overview",
  "/p/jobs",
  "/p/jobs?q=nothing-like-it",
  `/p/jobs/${idOf(500)}`,
  "/p/dlq",
  "/p/workers",
  "/p/queues",
];

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
        idOf(n),
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

interface Dashboard {
  readonly app: WebApp;
  readonly web: Web;
}

async function dashboard(jobs: number): Promise<Dashboard> {
  const home = scratch("dashboard");
  const path = `${home}/queue.db`;
  await (await openSqlite({ path }))[Symbol.asyncDispose]();
  fill(path, jobs);
  const web = webOf(await openSqlite({ path }), home);
  return { web, app: makeApp(web) };
}

async function cost({ app, web }: Dashboard, path: string): Promise<number> {
  web.shared.forget();
  const request = new Request(`http://localhost${path}`, { headers: { accept: "text/html" } });
  const begun = performance.now();
  const reply = await app.handle(request);
  await reply.text();
  const spent = performance.now() - begun;
  if (!reply.ok) throw new Error(`${path} was answered with ${reply.status}`);
  return spent;
}

export const bench: Bench = async () => {
  const [small, large] = [await dashboard(few), await dashboard(many)];
  const figures = [];
  for (const path of [...paths, ...parts]) {
    const values = { small: [] as number[], large: [] as number[] };
    for (let round = -5; round < rounds; round++) {
      const [theirs, ours] = [await cost(small, path), await cost(large, path)];
      // The first rounds prepare statements.
      if (round < 0) continue;
      values.small.push(theirs);
      values.large.push(ours);
    }
    figures.push(
      figure({
        bench: "dashboard",
        work: path,
        unit: "ms",
        ours: { name: "a million jobs", values: values.large },
        theirs: { name: "1,000", values: values.small },
        bound: { atMost: 1.5 },
      }),
    );
  }
  for (const { web } of [small, large]) await web.store[Symbol.asyncDispose]();
  return figures;
};
