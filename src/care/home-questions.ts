// The home folder: is it there, and is it the owner's alone?

import { accessSync, constants, existsSync, statSync } from "node:fs";
import { databasePath, logsFolder } from "../home.ts";
import type { Patient } from "./doctor.ts";
import { broken, type Finding, ok, warning } from "./finding.ts";

export function home({ home }: Patient): Finding {
  const stat = statSync(home, { throwIfNoEntry: false });
  if (!stat) return ok(`${home} is not there yet; the first enqueue makes it`);
  if (!stat.isDirectory()) return broken(`${home} is not a folder`, "point QUEUECTL_HOME to a folder");
  try {
    accessSync(home, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    return broken(`${home} may not be written`, `chown it to yourself and chmod 700 '${home}'`);
  }
  const user = process.getuid?.() ?? stat.uid;
  if (stat.uid !== user)
    return warning(
      `${home} belongs to user ${stat.uid}, and you are user ${user}`,
      "use queuectl as its owner",
    );
  return ok(home);
}

/** Commands, their variables and their output may hold secrets. */
export function modes({ home }: Patient): Finding {
  const parts = [home, databasePath(home), logsFolder(home)].filter((path) => existsSync(path));
  const open = parts.filter((path) => (statSync(path).mode & 0o077) !== 0);
  if (open.length === 0) return ok("nobody else may look inside");
  return warning(
    `others may look into ${open.join(", ")}`,
    `chmod go= ${open.map((path) => `'${path}'`).join(" ")}`,
  );
}
