// What the file of a command says of it, beside what does it. Its name and its sentence stand on the page of all, in program.ts.

import type { Context } from "./context.ts";
import type { Flag } from "./words.ts";

export interface Command {
  /** How it is used, where its name and parameters do not say it well. */
  readonly usage?: string;
  readonly examples?: readonly string[];
  readonly flags?: readonly Flag[];
  /** Plain words and options in, exit status out. */
  readonly run: (context: Context, words: readonly string[], options: never) => Promise<number>;
}

/** All of a file, by their names: `queue set`. */
export type Commands = Readonly<Record<string, Command>>;
