// Whether two paths lead to one file.

import { statSync } from "node:fs";

/** Or to one folder, by whatever links; false where either leads nowhere. */
export function isSameFile(path: string, otherPath: string): boolean {
  const [one, other] = [path, otherPath].map((each) => statSync(each, { throwIfNoEntry: false }));
  return one !== undefined && one.dev === other?.dev && one.ino === other.ino;
}
