// queuectl complete: asked by the scripts of `queuectl completions`, at each press of the tab key.

import { oneLine } from "../../domain/one-line.ts";
import type { Commands } from "../command.ts";
import { complete as candidatesFor } from "../complete.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { printLine, writeOut } from "../output.ts";

export const commands: Commands = {
  complete: { run: complete },
};

/** Candidates, a line each, with a tab before what they mean; or `:files`. */
async function complete(
  context: Context,
  _words: readonly string[],
  { dashed }: { dashed: readonly string[] },
): Promise<number> {
  const found = await candidatesFor(context, dashed);
  if (found === "files") await printLine(":files");
  else await writeOut(found.map(([word, about]) => `${word}\t${oneLine(about).slice(0, 80)}\n`).join(""));
  return done;
}
