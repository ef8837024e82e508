// Runs something after a while, by a clock that nobody sets.

/** Timers count milliseconds in 31 bits; longer waits go in steps. */
const longestMs = 2 ** 31 - 1;

/** Disposing it in time prevents `then`. */
export function timeout(ms: number, then: () => void): Disposable {
  const due = performance.now() + ms;
  let timer: Timer;
  const step = () => {
    const left = due - performance.now();
    if (left <= 0) then();
    else timer = setTimeout(step, Math.min(left, longestMs));
  };
  timer = setTimeout(step, Math.max(0, Math.min(ms, longestMs)));
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}
