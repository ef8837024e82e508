// Has workers check files: `bun examples/checksums.ts <file…>` prints a SHA-256 for each as soon as it is there, and says which could
// not be read. A worker has to run somewhere: `queuectl worker`.

import { Queue } from "queuectl";

await using queue = await Queue.open();

const files = process.argv.slice(2);
const ids = await queue.enqueueAll(
  files.map((file) => ({ command: ["sha256sum", "--", file], tags: ["checksums"], max_retries: 1 })),
);
const fileOf = new Map(ids.map((id, index) => [id, files[index]!]));

let bad = 0;
for await (const { id, state, job } of queue.events(ids)) {
  if (state === "completed") {
    process.stdout.write(await textOf(id));
  } else if (state === "dead" || state === "cancelled" || state === "deleted") {
    bad++;
    console.error(`${fileOf.get(id)}: ${state}${job?.last_error ? ` (${job.last_error})` : ""}`);
  }
}
process.exitCode = bad === 0 ? 0 : 1;

/** What a job's newest run printed. */
async function textOf(id: string): Promise<string> {
  const runs = await queue.attempts(id);
  const decoder = new TextDecoder();
  let text = "";
  for await (const { bytes } of queue.follow(id, { from: runs.length }))
    text += decoder.decode(bytes, { stream: true });
  return text + decoder.decode();
}
