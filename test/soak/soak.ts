// Hours of ordinary life in one: four workers, jobs of every kind, somebody who watches the dashboard, and retention that removes
// what is old. Nothing may grow: memory, open files, the write-ahead log, the log folder.
//
//   bun run soak --minutes 60 --chart docs/images/soak.svg
//
// Prints what drifted and exits with 1 when anything did, or when the queue is not in order at the end.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { databasePath, logsFolder } from "../../src/home.ts";
import { program } from "../support/program.ts";
import { mulberry32 } from "../torture/work.ts";
import { chartOf } from "./chart.ts";
import { driftOf, megabytesBelow, megabytesOf, memoryOf, openFilesOf, type Sample } from "./samples.ts";
import { jobLines } from "./work.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    chart: { type: "string" },
    csv: { type: "string" },
  },
});
const soakMs = Number(values.minutes) * 60_000;
const sampleMs = Math.min(10_000, soakMs / 60);
const feedMs = 1000;
const watchMs = 2000;
/** Enough that no worker is ever idle. */
const waitingJobs = 60;
/** Seconds; jobs are old long before the second quarter begins. */
const retention = Math.max(5, soakMs / 1000 / 20);

const folder = mkdtempSync(join(tmpdir(), "queuectl-soak-"));
const home = join(folder, "home");
const env = { ...process.env, QUEUECTL_HOME: home } as Record<string, string>;
const random = mulberry32(1);

await call(["config", "set", "retention", `${retention}s`]);
await call(["config", "set", "max_retries", "1"]);
await call(["config", "set", "backoff_base", "0.5"]);
await call(["config", "set", "kill_grace", "1"]);
const worker = Bun.spawn([...program, "worker", "--count", "4", "--quiet"], {
  env,
  stdin: "ignore",
  stdout: "ignore",
  stderr: "inherit",
});
const web = Bun.spawn([...program, "web", "start", "--port", "0"], {
  env,
  stdin: "ignore",
  stdout: "pipe",
  stderr: "inherit",
});
const address = await firstLine(web.stdout);
const begun = performance.now();
const isOver = () => performance.now() - begun >= soakMs;
const samples: Sample[] = [];
let runsBefore = 0;

try {
  await Promise.all([
    repeat(feedMs, feed),
    repeat(watchMs, watchPages),
    repeat(0, watchLog),
    repeat(60_000, purge),
    repeat(sampleMs, sample),
  ]);
} finally {
  worker.kill("SIGTERM");
  web.kill("SIGTERM");
}
const faults: string[] = [];
if ((await worker.exited) !== 0) faults.push(`the worker ended with ${worker.exitCode}`);
await web.exited;
await call(["doctor"]).catch((error: Error) => faults.push(error.message));
const stats = await json("status");
if (stats.processing > 0) faults.push(`${stats.processing} jobs are processing without a worker`);
report();

async function repeat(everyMs: number, act: () => Promise<void>): Promise<void> {
  for (let next = performance.now(); !isOver(); next += everyMs) {
    await act();
    await Bun.sleep(Math.max(1, next + everyMs - performance.now()));
  }
}

async function feed(): Promise<void> {
  const { pending } = await api("stats");
  if (pending < waitingJobs) await call(["enqueue", "--file", "-"], jobLines(waitingJobs - pending, random));
}

/** What an open page asks for. */
async function watchPages(): Promise<void> {
  const [job] = (await api("jobs?limit=1")).data;
  for (const path of ["/", "/jobs", "/workers", `/jobs/${job?.id}`]) await (await read(path)).text();
}

/** Reads one running job's log as it grows, to its end. */
async function watchLog(): Promise<void> {
  const [job] = (await api("jobs?limit=1&state=processing")).data;
  if (!job) return Bun.sleep(100);
  await fetch(new URL(`/jobs/${job.id}/log/stream`, address), { signal: AbortSignal.timeout(20_000) })
    .then((reply) => reply.text())
    .catch(() => {});
}

async function purge(): Promise<void> {
  await call(["dlq", "purge", "--yes"]);
}

async function sample(): Promise<void> {
  const stats = await json("status");
  const runs = stats.success_runs + stats.failed_runs;
  const seconds = (performance.now() - begun) / 1000;
  const since = seconds - (samples.at(-1)?.seconds ?? 0);
  const path = databasePath(home);
  samples.push({
    seconds,
    runs_per_second: (runs - runsBefore) / since,
    worker_mb: memoryOf(worker.pid),
    web_mb: memoryOf(web.pid),
    worker_files: openFilesOf(worker.pid),
    web_files: openFilesOf(web.pid),
    wal_mb: megabytesOf(`${path}-wal`),
    database_mb: megabytesOf(path),
    logs_mb: megabytesBelow(logsFolder(home)),
    jobs: stats.total,
  });
  runsBefore = runs;
}

function report(): void {
  const drifts = driftOf(samples);
  const shown = ({ before, after, isLevel }: (typeof drifts)[number]) => ({
    "second quarter": Number(before.toFixed(1)),
    "last quarter": Number(after.toFixed(1)),
    level: isLevel ? "yes" : "NO",
  });
  console.table(Object.fromEntries(drifts.map((drift) => [drift.measure, shown(drift)])));
  console.log(`${runsBefore} runs in ${values.minutes} minutes`);
  if (values.chart) writeFileSync(values.chart, chartOf(samples));
  if (values.csv) writeFileSync(values.csv, csvOf(samples));
  for (const { measure, isLevel } of drifts) if (!isLevel) faults.push(`${measure} drifts`);
  for (const fault of faults) console.error(fault);
  if (faults.length === 0) rmSync(folder, { recursive: true });
  else console.error(`kept: ${folder}`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}

function csvOf(samples: readonly Sample[]): string {
  const rows = samples.map((sample) => Object.values(sample).join(","));
  return `${Object.keys(samples[0]!).join(",")}\n${rows.join("\n")}\n`;
}

function read(path: string): Promise<Response> {
  return fetch(new URL(path, address));
}

// biome-ignore lint/suspicious/noExplicitAny: what a document holds is said by who asks for it
async function api(path: string): Promise<any> {
  return (await read(`/api/v1/${path}`)).json();
}

// biome-ignore lint/suspicious/noExplicitAny: what a document holds is said by who asks for it
async function json(...words: string[]): Promise<any> {
  return JSON.parse(await call([...words, "--json"]));
}

async function call(words: readonly string[], stdin = ""): Promise<string> {
  const child = Bun.spawn([...program, ...words], {
    env,
    stdin: new Blob([stdin]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if ((await child.exited) !== 0) throw new Error(`queuectl ${words.join(" ")}: ${stdout}${stderr}`);
  return stdout;
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  for await (const text of stream.pipeThrough(
    new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>,
  )) {
    if (text.includes("\n")) return text.split("\n")[0]!;
  }
  throw new Error("the dashboard did not start");
}
