// The home folder: is it there, and is it the owner's alone?

import { accessSync, constants, existsSync, readdirSync, statSync } from "node:fs";
import {
  databasePath,
  deadLinkTo,
  jobLogsFolder,
  logsFolder,
  refuseDeadLink,
  runFolder,
  workerLogsFolder,
} from "../home.ts";
import { folderOf } from "./disk-questions.ts";
import type { Patient } from "./doctor.ts";
import { broken, type Finding, ok, warning } from "./finding.ts";

export function home({ home }: Patient): Finding {
  const stat = statSync(home, { throwIfNoEntry: false });
  if (!stat) return notYet(home);
  if (!stat.isDirectory()) return broken(`${home} is not a folder`, "point QUEUECTL_HOME to a folder");
  const hindrance = hindranceAt(home);
  if (hindrance === "EROFS") return broken(`${home} lies on a disk that is mounted read-only`, remount);
  const user = process.getuid?.() ?? stat.uid;
  const whose = `${home} belongs to user ${stat.uid}, and you are user ${user}`;
  const asOwner = "use queuectl as its owner";
  // Of root's it is most likely that sudo made it where yours was to be.
  if (hindrance !== undefined && stat.uid !== user && stat.uid !== 0)
    return broken(whose, `${asOwner}, or point QUEUECTL_HOME to a folder of yours`);
  if (hindrance !== undefined)
    return broken(`${home} may not be written`, `chown it to yourself and chmod 700 '${home}'`);
  if (stat.uid !== user) return warning(whose, asOwner);
  const link = deadLinkTo(logsFolder(home));
  if (link !== undefined)
    return broken(`${link}, so no job can be started`, "mount the disk that it leads to, or remove the link");
  // As after a worker that was started by sudo: whose logs cannot be written is started by nobody.
  const shut = innerFolders(home).find((folder) => !mayUse(folder));
  if (shut !== undefined)
    return broken(
      `${shut} may not be written, so no job can be started`,
      `chown '${home}' with all that is in it to yourself, and chmod -R u+rwX '${home}'`,
    );
  return ok(home);
}

/** Which the first enqueue makes, in the nearest folder above that there is. */
function notYet(home: string): Finding {
  refuseDeadLink(home);
  const above = folderOf(home);
  const hindrance = hindranceAt(above, constants.W_OK | constants.X_OK);
  if (hindrance === undefined) return ok(`${home} is not there yet; the first enqueue makes it`);
  const why = hindrance === "EROFS" ? "lies on a disk that is mounted read-only" : "may not be written";
  return broken(
    `${home} is not there yet and cannot be made: ${above} ${why}`,
    "point QUEUECTL_HOME to a folder that you may write",
  );
}

const remount =
  "mount it writable (the kernel makes a disk read-only after errors: see dmesg), or point QUEUECTL_HOME to another one";

/** Why a folder may not be used; undefined when it may. */
function hindranceAt(
  folder: string,
  how = constants.R_OK | constants.W_OK | constants.X_OK,
): string | undefined {
  try {
    accessSync(folder, how);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

const mayUse = (folder: string) => hindranceAt(folder) === undefined;

/** Where workers write, the outer before the inner ones. */
function innerFolders(home: string): string[] {
  const millions = foldersIn(jobLogsFolder(home));
  return [
    logsFolder(home),
    workerLogsFolder(home),
    jobLogsFolder(home),
    ...millions,
    ...millions.flatMap(foldersIn),
    runFolder(home),
  ].filter((folder) => existsSync(folder));
}

const foldersIn = (folder: string): string[] =>
  existsSync(folder) && mayUse(folder)
    ? readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => `${folder}/${entry.name}`)
    : [];

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
