// Reads that many tabs ask for at once cost the database one read: whoever asks while it runs, or soon after, gets the same answer.

export interface Shared {
  /** The answer of `load`, or the one that the same key got less than the shared age ago. */
  <T>(key: string, load: () => Promise<T>): Promise<T>;
  /** Forgets all answers: something was just changed here, and its reader wants to see it. */
  forget(): void;
}

/** Shorter than anybody refreshes, and so short that nobody takes it for old. */
const sharedMs = 400;

export function makeShared(clock: () => number = () => performance.now()): Shared {
  const answers = new Map<string, { at: number; answer: Promise<unknown> }>();

  const shared = <T>(key: string, load: () => Promise<T>): Promise<T> => {
    const now = clock();
    for (const [old, { at }] of answers) {
      if (now - at < sharedMs) break;
      answers.delete(old);
    }
    const known = answers.get(key);
    if (known) return known.answer as Promise<T>;
    const answer = load();
    answers.set(key, { at: now, answer });
    answer.catch(() => {
      if (answers.get(key)?.answer === answer) answers.delete(key);
    });
    return answer;
  };
  return Object.assign(shared, { forget: () => answers.clear() });
}
