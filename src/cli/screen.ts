// A terminal's screen that is drawn anew when something changed, and given back as it was.

import type { Store } from "../store/store.ts";
import { onStopSignals } from "../worker/shutdown.ts";
import { makeWakeup } from "../worker/wakeup.ts";
import { cut, writeOut } from "./output.ts";

/** The least time between two pictures, and the longest: what tells of time grows old without a change. */
const restMs = 1000;
const staleMs = 2000;

// The other screen without a cursor, and back again (DEC private modes 1049 and 25).
const enter = "\u001b[?1049h\u001b[?25l";
const leave = "\u001b[?25h\u001b[?1049l";

/** Shows lines until the user has enough of it (Ctrl-C). */
export async function watchScreen(store: Store, lines: () => Promise<readonly string[]>): Promise<void> {
  const changed = makeWakeup();
  const ended = makeWakeup();
  let isOver = false;
  using _signals = onStopSignals(() => {
    isOver = true;
    changed.wake();
    ended.wake();
  });
  using _watch = store.watch(changed.wake);
  await writeOut(enter);
  try {
    while (!isOver) {
      await store.refuseMoved();
      if (!(await writeOut(picture(await lines())))) return;
      await ended.wait(restMs);
      if (!isOver) await changed.wait(staleMs - restMs);
    }
  } finally {
    await writeOut(leave);
  }
}

/** From the first place on; what was there before is erased line by line, so that nothing flickers. */
function picture(lines: readonly string[]): string {
  const { columns = 80, rows = 24 } = process.stdout;
  const shown = lines.slice(0, rows - 1).map((line) => `${cut(line, columns)}\u001b[K\r\n`);
  return `\u001b[H${shown.join("")}\u001b[J`;
}
