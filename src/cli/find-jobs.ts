// The jobs that a command's words name: all of them, or a refusal before anything is done.

import type { Job } from "../domain/job.ts";
import type { Store } from "../store/store.ts";

export async function findJobs(store: Store, words: readonly string[]): Promise<Job[]> {
  const jobs = new Map<number, Job>();
  for (const word of words) {
    const job = await store.jobs.find(word);
    jobs.set(job.seq, job);
  }
  return [...jobs.values()];
}
