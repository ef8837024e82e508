// A user's shell with queuectl in its PATH: for pipes, and for output that is not text.

import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { program } from "./program.ts";
import type { Queuectl } from "./queuectl.ts";

export interface ShellResult {
  readonly status: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs a script of /bin/sh in the queue's folder. The environment is small and known. */
export async function shell(
  q: Queuectl,
  script: string,
  env: Readonly<Record<string, string>> = {},
): Promise<ShellResult> {
  const child = Bun.spawn(["/bin/sh", "-c", script], {
    cwd: q.folder,
    env: { ...plainEnvironment(q), ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([child.stdout.bytes(), child.stderr.text()]);
  return { status: await child.exited, stdout: Buffer.from(stdout), stderr };
}

/** Nothing but what a login gives, so that a test knows every variable. */
export function plainEnvironment(q: Queuectl): Record<string, string> {
  return {
    PATH: `${folderOfProgram(q)}:${process.env.PATH}`,
    HOME: q.folder,
    LANG: "C.UTF-8",
    QUEUECTL_HOME: q.home,
  };
}

function folderOfProgram(q: Queuectl): string {
  const folder = join(q.folder, "bin");
  const path = join(folder, "queuectl");
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, `#!/bin/sh\nexec ${program.map((word) => `'${word}'`).join(" ")} "$@"\n`);
    chmodSync(path, 0o755);
  }
  return folder;
}
