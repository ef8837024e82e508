// queuectl at a terminal: stdin, stdout and stderr are a pseudo-terminal, and keys can be typed.

import { program } from "./program.ts";
import type { Queuectl } from "./queuectl.ts";
import { plainEnvironment } from "./shell.ts";
import { waitUntil } from "./wait-until.ts";

export interface AtTerminal {
  /** Fulfilled with the exit status when all that was written is shown. */
  exited(): Promise<number>;
  /** All that was shown so far. */
  shown(): string;
  /** Waits until a text is shown. */
  shows(text: string): Promise<void>;
  type(keys: string): void;
}

/** Printed behind everything else: what a process wrote to a terminal may arrive after its exit. */
const end = "\x05end\x05";
/** The trap is for the shell alone: Ctrl-C must not keep it from printing the end. */
const script = `trap : INT; "$@"; status=$?; printf '%s' '${end}'; exit $status`;

export const ctrlC = "\x03";

interface TerminalOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly columns?: number;
}

export const atTerminal = (q: Queuectl, words: readonly string[], options?: TerminalOptions): AtTerminal =>
  programAtTerminal(q, [...program, ...words], options);

/** Any program, with queuectl in its PATH. */
export function programAtTerminal(
  q: Queuectl,
  words: readonly string[],
  { env = {}, columns = 120 }: TerminalOptions = {},
): AtTerminal {
  const decoder = new TextDecoder();
  let text = "";
  // Options, not a terminal made before: only so it becomes the one that Ctrl-C comes from.
  const child = Bun.spawn(["/bin/sh", "-c", script, "sh", ...words], {
    cwd: q.folder,
    env: { ...plainEnvironment(q), TERM: "xterm-256color", ...env },
    terminal: {
      cols: columns,
      rows: 40,
      data(_terminal, bytes) {
        text += decoder.decode(bytes, { stream: true });
      },
    },
  });
  return {
    async exited() {
      const status = await child.exited;
      await waitUntil("the terminal shows all that was written", () => text.includes(end));
      child.terminal?.close();
      return status;
    },
    shown: () => text.replace(end, ""),
    shows: async (wanted) => {
      await waitUntil(`the terminal shows "${wanted}" (shown: ${text})`, () => text.includes(wanted));
    },
    type: (keys) => void child.terminal?.write(keys),
  };
}
