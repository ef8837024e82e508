// queuectl migrate: move the queue to another database, and back.

import { moveQueue, placeNamed, undoMove } from "../../care/move.ts";
import { counted } from "../../domain/counted.ts";
import { misuse, Refusal } from "../../domain/errors.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { note } from "../output.ts";

export const commands: Commands = {
  migrate: {
    usage: "migrate --to <place> | --undo",
    examples: [
      "queuectl migrate --to postgres://queuectl@db.example/jobs",
      "queuectl migrate --database postgres://queuectl@db.example/jobs --to ~/queue",
    ],
    flags: [
      ["--to <place>", "A PostgreSQL database by its URL; a home folder, or sqlite for this one"],
      ["--undo", "Open a queue again that had moved, as it was then"],
    ],
    run: migrate,
  },
};

async function migrate(
  context: Context,
  _words: readonly string[],
  options: { to?: string; undo?: boolean },
): Promise<number> {
  if (options.undo && options.to !== undefined) throw misuse("--to and --undo exclude each other");
  if (options.undo) return undo(context);
  if (options.to === undefined) throw misuse("say where to: --to postgres://…, --to sqlite or --to <folder>");
  return move(context, options.to);
}

const toldEvery = 100_000;

async function move({ place: from, cwd }: Context, word: string): Promise<number> {
  const to = placeNamed(word, from, cwd);
  let told = 0;
  const { place, tally } = await moveQueue({
    from,
    to,
    onProgress(copied, jobs) {
      if (copied < told + toldEvery) return;
      told = copied;
      note(`copied ${copied} of ${jobs} jobs`);
    },
  });
  const what = `${counted(tally.jobs!, "job")} with ${counted(tally.attempts!, "attempt")}`;
  note(`moved ${what} to ${place}, and counted them there`);
  note(
    to.database === undefined
      ? `work there without QUEUECTL_DATABASE_URL, and with QUEUECTL_HOME=${to.home}`
      : "work there by QUEUECTL_DATABASE_URL, or --database with each command",
  );
  note("the old queue stays as it is, and no command works on it; queuectl migrate --undo opens it again");
  return done;
}

async function undo({ place }: Context): Promise<number> {
  const to = await undoMove(place);
  if (to === undefined) throw new Refusal("wrong_state", "this queue has not moved");
  note(`this queue is in use again; what happened since in ${to} stays there`);
  return done;
}
