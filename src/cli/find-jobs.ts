// The jobs that a command's words name: all of them, or a refusal before anything is done.

import type { Job } from "../domain/job.ts";
import type { NamedJob } from "../store/jobs.ts";
import type { Store } from "../store/store.ts";

export const findJobs = (store: Store, words: readonly string[]): Promise<Job[]> =>
  eachOnce(words, store.jobs.find);

/** For what can be done to a job that cannot be read, too. */
export const findNamed = (store: Store, words: readonly string[]): Promise<NamedJob[]> =>
  eachOnce(words, store.jobs.named);

async function eachOnce<J extends NamedJob>(
  words: readonly string[],
  find: (word: string) => Promise<J>,
): Promise<J[]> {
  const jobs = new Map<number, J>();
  for (const word of words) {
    const job = await find(word);
    jobs.set(job.seq, job);
  }
  return [...jobs.values()];
}
