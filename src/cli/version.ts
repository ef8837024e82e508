// What --version says: the version, and the commit that this program was made from, where that is known.

import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { version } from "../version.ts";

/** Put in by the build (.ci/build), empty where it knew none. */
declare const QUEUECTL_COMMIT: string;

export function versionLine(): string {
  const commit = typeof QUEUECTL_COMMIT === "undefined" ? commitOfSources() : QUEUECTL_COMMIT;
  return commit ? `queuectl ${version} (${commit})` : `queuectl ${version}`;
}

/** Of a checkout with `-dirty` where files were changed; of a package, which may lie inside of another repository, as it was packed. */
function commitOfSources(): string {
  const root = resolve(import.meta.dir, "../..");
  if (!existsSync(join(root, ".git"))) return packed(join(root, "types/commit"));
  const git = Bun.which("git");
  if (git === null) return "";
  const words = ["describe", "--always", "--dirty", "--exclude=*", "--abbrev=7"];
  return Bun.spawnSync([git, "-C", root, ...words], { stderr: "ignore" })
    .stdout.toString()
    .trim();
}

/** Put in by .ci/prepack. */
const packed = (path: string) => (existsSync(path) ? readFileSync(path, "utf8").trim() : "");
