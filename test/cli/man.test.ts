// The manual page: complete, and roff that those who read it accept.

import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { manual } from "../../src/cli/manual.ts";
import { program, shown } from "../../src/cli/program.ts";
import { settingKeys } from "../../src/domain/default-settings.ts";
import { queuectl } from "../support/queuectl.ts";
import { shell } from "../support/shell.ts";

setDefaultTimeout(180_000);

/** As it is meant to be read, of what the page's source has. */
const readable = (roff: string) =>
  roff
    .replaceAll("\\-", "-")
    .replaceAll("\\(aq", "'")
    .replace(/\\\[u([0-9A-F]+)\]/g, (_, code) => String.fromCodePoint(Number.parseInt(code, 16)));

test("every command, option and setting is in it, and nothing that is hidden", async () => {
  const page = readable(await manual("2027-01-31"));
  expect(page).toStartWith(".TH QUEUECTL 1 2027-01-31 ");
  for (const entry of program.commands) {
    const { name } = entry;
    const { flags = [] } = await entry.load();
    const part = page.split(`\n.SS ${name}`)[1]?.split("\n.SS ")[0];
    if (!shown.includes(entry)) expect(page).not.toContain(`.SS ${name}`);
    else for (const [flag] of flags) expect(part).toContain(`\n.B ${flag}\n`);
  }
  for (const key of settingKeys) expect(page).toContain(`\n.B ${key}\n`);
});

test("it says the date that it is given", async () => {
  await using q = queuectl({ SOURCE_DATE_EPOCH: "1800000000" });
  expect(await q.ok("man")).toStartWith(".TH QUEUECTL 1 2027-01-15 ");
});

test.skipIf(!Bun.which("mandoc"))("mandoc finds nothing to complain of", async () => {
  await using q = queuectl();
  await Bun.write(join(q.folder, "queuectl.1"), `${await q.ok("man")}\n`);
  const { stdout, status } = await shell(q, "mandoc -Tlint queuectl.1");
  expect({ status, said: stdout.toString() }).toEqual({ status: 0, said: "" });
});

test.skipIf(!Bun.which("man"))("man shows it, with quotes and hyphens that can be copied", async () => {
  await using q = queuectl();
  const { stdout, status } = await shell(q, "queuectl man | MANWIDTH=120 man -l -");
  expect(status).toBe(0);
  expect(stdout.toString()).toContain(
    "queuectl schedule add nightly '30 2 * * *' './backup.sh' --tz Europe/Berlin",
  );
});
