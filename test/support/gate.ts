// A job that runs exactly as long as a test needs it to.

import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Queuectl } from "./queuectl.ts";
import { waitUntil } from "./wait-until.ts";

export interface Gate {
  /** Ends when the gate is opened. */
  readonly command: string;
  open(): void;
  /** Waits until the command runs. */
  reached(): Promise<void>;
}

let gates = 0;

export function makeGate(q: Queuectl): Gate {
  const reached = join(q.folder, `reached-${++gates}`);
  const opened = join(q.folder, `opened-${gates}`);
  return {
    command: `touch '${reached}'; until [ -e '${opened}' ]; do sleep 0.02; done`,
    open: () => writeFileSync(opened, ""),
    reached: async () => {
      await waitUntil("the job runs", () => existsSync(reached));
    },
  };
}
