// Waits for a condition, not for time: quick where things are quick, with a limit where they never come.

/** The first value that `look` gives which is neither undefined nor false. Fails after `limitMs`, saying what was awaited. */
export async function waitUntil<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  limitMs = 100_000,
): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`waited ${limitMs} ms in vain until ${what}`);
    await Bun.sleep(10);
  }
}
