// The place of a Unix socket, which only its owner can connect to: its mode says so, and its folder keeps it from being replaced.

import { lstatSync, rmSync, type Stats, statSync } from "node:fs";
import { connect } from "node:net";
import { dirname } from "node:path";
import { Refusal } from "../domain/errors.ts";

/** Takes away what a server that was killed left behind. */
export async function prepareSocket(path: string): Promise<void> {
  const folder = dirname(path);
  const stats = statSync(folder, { throwIfNoEntry: false });
  if (!stats?.isDirectory()) {
    throw new Refusal(
      "unavailable",
      `--socket: ${folder} ${stats ? "is no folder" : "does not exist"}`,
      "make a folder that only you can write to",
    );
  }
  if (isOpenToOthers(stats)) {
    throw new Refusal(
      "unavailable",
      `--socket: others can replace what is in ${folder}`,
      "choose a folder that only you can write to",
    );
  }
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (!there) return;
  if (!there.isSocket()) {
    throw new Refusal(
      "unavailable",
      `--socket: ${path} is there, and is not a socket`,
      "choose another path",
    );
  }
  if (await isAnswered(path)) {
    throw new Refusal(
      "unavailable",
      `a server listens at ${path} already`,
      "stop it, or choose another path",
    );
  }
  rmSync(path, { force: true });
}

/** In a folder with the sticky bit, such as /tmp, nobody can replace what is another's. */
function isOpenToOthers({ mode, uid }: Stats): boolean {
  const isSticky = (mode & 0o1000) !== 0;
  const isTheirs = uid !== 0 && uid !== process.geteuid?.();
  return isTheirs || ((mode & 0o022) !== 0 && !isSticky);
}

const isAnswered = (path: string) =>
  new Promise<boolean>((answer) => {
    const socket = connect(path, () => {
      socket.destroy();
      answer(true);
    });
    socket.on("error", () => answer(false));
  });

/** What is made meanwhile is the owner's alone, from its first moment on. */
export function asOwnerOnly<T>(make: () => T): T {
  const before = process.umask(0o177);
  try {
    return make();
  } finally {
    process.umask(before);
  }
}
