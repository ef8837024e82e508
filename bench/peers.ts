// Other programs to compare with, installed when they are missing: Debian's by apt-get, npm's into a folder of the run. One that
// cannot be had is said, and left out.

import { join } from "node:path";
import { run } from "./program.ts";
import { scratch } from "./scratch.ts";

/** Whether a Debian package's program is there; installs it where that is possible. */
export async function hasProgram(program: string, debianPackage: string): Promise<boolean> {
  if (Bun.which(program)) return true;
  const install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", debianPackage];
  try {
    await run(["apt-get", "update", "-qq"]);
    await run(install, { env: { DEBIAN_FRONTEND: "noninteractive" } });
  } catch {
    // Said below, like anything else that keeps it from being there.
  }
  if (Bun.which(program)) return true;
  console.error(
    `${program} is missing and could not be installed (${install.join(" ")}); going on without it`,
  );
  return false;
}

type PeerFile =
  | "plainjob/dist/plainjob.js"
  | "bunqueue/dist/client/index.js"
  | "pg-boss/dist/index.js"
  | "graphile-worker/dist/index.js";

const packages = ["plainjob@0.0.14", "bunqueue@2.9.5", "pg-boss@12.38.0", "graphile-worker@0.18.0"];

let folder: Promise<string | undefined> | undefined;

/** The file of an npm peer to import; undefined where the registry cannot be reached. */
export async function npmPeer(file: PeerFile) {
  folder ??= installed();
  const path = await folder;
  return path === undefined ? undefined : join(path, "node_modules", file);
}

async function installed(): Promise<string | undefined> {
  const path = scratch("peers");
  await Bun.write(join(path, "package.json"), '{ "name": "peers", "private": true }');
  try {
    await run([process.execPath, "add", ...packages], { cwd: path });
    return path;
  } catch (error) {
    console.error(
      `${packages.join(", ")} could not be installed; going on without them: ${(error as Error).message}`,
    );
    return undefined;
  }
}
