// A latch that lets a loop sleep until something happens.

export interface Wakeup {
  /** Ends the wait that is under way, or else the next one. */
  wake(): void;
  /** Fulfilled when woken, or after `ms`; says whether it was woken. */
  wait(ms: number): Promise<boolean>;
}

export function makeWakeup(): Wakeup {
  let woken = false;
  let resolve: (() => void) | undefined;
  return {
    wake() {
      woken = true;
      resolve?.();
    },
    async wait(ms) {
      if (!woken) {
        await new Promise<void>((done) => {
          const timer = setTimeout(done, ms);
          resolve = () => {
            clearTimeout(timer);
            done();
          };
        });
        resolve = undefined;
      }
      const wasWoken = woken;
      woken = false;
      return wasWoken;
    },
  };
}
