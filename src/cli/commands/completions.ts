// queuectl completions: a script by which a shell completes queuectl's words. It knows nothing itself and asks `queuectl complete`, so it
// is as true as the program that is installed.

import { misuse } from "../../domain/errors.ts";
import { didYouMean } from "../../domain/nearest.ts";
import type { Commands } from "../command.ts";
import bash from "../completions/bash.txt" with { type: "text" };
import fish from "../completions/fish.txt" with { type: "text" };
import zsh from "../completions/zsh.txt" with { type: "text" };
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { writeOut } from "../output.ts";

export const commands: Commands = {
  completions: { examples: [`eval "$(queuectl completions bash)"`], run: completions },
};

async function completions(_context: Context, [shell]: readonly string[]): Promise<number> {
  const script = scripts[shell as keyof typeof scripts];
  if (script === undefined) {
    const shells = Object.keys(scripts);
    throw misuse(
      `there are no completions for ${JSON.stringify(shell)}: the shells are ${shells.join(", ")}`,
      didYouMean(shell!, shells),
    );
  }
  await writeOut(script);
  return done;
}

const scripts = { bash, zsh, fish } as const;
