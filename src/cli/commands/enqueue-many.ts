// Many jobs in one transaction, from a file of JSON or from a list of values and a template.

import { createReadStream } from "node:fs";
import { counted } from "../../domain/counted.ts";
import { inPlace, isSystemError, misuse, Refusal, reasonOf } from "../../domain/errors.ts";
import type { JobRequest, NewJob } from "../../domain/job.ts";
import { readEach } from "../../input/each.ts";
import { readJobs } from "../../input/job-lines.ts";
import type { Store } from "../../store/store.ts";
import { isTerminal, note, printJson, writeOut } from "../output.ts";
import { makeMeter, type Progress, progressBar, progressLine } from "../progress.ts";

/** Where jobs come from: JSON, or with `each` values for a template. */
export interface List {
  /** `-` is stdin. */
  readonly file: string;
  readonly each: string | undefined;
  readonly colsep: string | undefined;
  readonly isNull: boolean;
}

/** Stores and names them; fulfilled with the queues they went to. */
export async function enqueueMany(
  store: Store,
  { file, each, colsep, isNull }: List,
  finish: (request: JobRequest) => NewJob,
  { json }: { json: boolean },
): Promise<readonly string[]> {
  if (file === "-" && isTerminal(0)) note("queuectl: reading from the terminal; Ctrl-D ends it");
  using progress = progressLine();
  const watched = watch(bytesOf(file), file === "-" ? undefined : Bun.file(file).size, progress);
  const requests =
    each === undefined
      ? readJobs(watched.bytes)
      : readEach(watched.bytes, { template: each, colsep, isNull });
  const queues = new Set<string>();
  async function* jobs(): AsyncIterable<NewJob> {
    for await (const { request, where } of requests) {
      const job = inPlace(where, () => finish(request));
      queues.add(job.queue);
      watched.count();
      yield job;
    }
    watched.storing();
  }
  const { count, known, ids } = await store.jobs.enqueueAll(jobs());
  progress.clear();
  if (count === 0) note("queuectl: the list is empty; no job is stored");
  if (known > 0) note(`queuectl: ${known} of ${count} were there already`);
  if (json) await printJson(await Array.fromAsync(ids()));
  else for await (const page of pages(ids())) await writeOut(page);
  return [...queues];
}

/** Tells of jobs while their bytes are read: how far, where the length is known, and how fast. */
function watch(source: AsyncIterable<Uint8Array>, length: number | undefined, progress: Progress) {
  const meter = makeMeter();
  let jobs = 0;
  let read = 0;
  async function* bytes(): AsyncIterable<Uint8Array> {
    for await (const chunk of source) {
      read += chunk.length;
      yield chunk;
    }
  }
  const text = () => {
    const rate = `${counted(jobs, "job")} read, ${Math.round(meter.rate(jobs))}/s`;
    return length ? progressBar(Math.min(1, read / length), rate) : rate;
  };
  return {
    bytes: bytes(),
    count() {
      jobs++;
      progress.show(text);
    },
    storing: () => progress.showNow(`storing ${counted(jobs, "job")}`),
  };
}

/** What is read of a file at once. */
const chunkBytes = 256 * 1024;

/** The bytes of a file; `-` is stdin. */
export async function* bytesOf(file: string): AsyncIterable<Uint8Array> {
  // As of a variable that is not set; the folder that it would mean says nothing.
  if (file === "") throw misuse("the file's name is empty", "name a file, or - for standard input");
  try {
    // Not by Bun.file, which cannot wait for what is neither a file nor a pipe, such as /dev/null.
    yield* file === "-" ? Bun.stdin.stream() : createReadStream(file, { highWaterMark: chunkBytes });
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const why = { ENOENT: "it does not exist", EISDIR: "it is a folder" }[error.code] ?? reasonOf(error);
    throw new Refusal("not_found", `${file === "-" ? "standard input" : file} cannot be read: ${why}`);
  }
}

async function* pages(lines: AsyncIterable<string>): AsyncIterable<string> {
  let page = "";
  for await (const line of lines) {
    page += `${line}\n`;
    if (page.length < 65_536) continue;
    yield page;
    page = "";
  }
  yield page;
}
