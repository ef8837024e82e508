// What --version says: the version, and the commit that this program was made from, where that is known.

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { version } from "../self.ts";

/** Put in by the build (.ci/build), empty where it knew none. */
declare const QUEUECTL_COMMIT: string;

export function versionLine(): string {
  const commit = typeof QUEUECTL_COMMIT === "undefined" ? checkedOut() : QUEUECTL_COMMIT;
  return commit ? `queuectl ${version} (${commit})` : `queuectl ${version}`;
}

/** The commit of a checkout, with `-dirty` where files were changed; a package inside of another repository is not at that one's. */
function checkedOut(): string {
  const root = resolve(import.meta.dir, "../..");
  const git = Bun.which("git");
  if (git === null || !existsSync(join(root, ".git"))) return "";
  const words = ["describe", "--always", "--dirty", "--exclude=*", "--abbrev=7"];
  return Bun.spawnSync([git, "-C", root, ...words], { stderr: "ignore" })
    .stdout.toString()
    .trim();
}
