// PgBouncer in front of a database, handing each transaction to another connection of the server (Debian: pgbouncer).

import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { isRoot } from "./ordinary-user.ts";
import { collect } from "./queuectl.ts";
import { tempFolder } from "./temp-home.ts";
import { waitUntil } from "./wait-until.ts";

export interface PgBouncer extends AsyncDisposable {
  /** Stands for the URL of the database. */
  readonly url: string;
  /** Lines of its log that are more than news. */
  complaints(): readonly string[];
}

const program = Bun.which("pgbouncer", { PATH: `${process.env.PATH}:/usr/sbin` });

/** Why there is none here; undefined where there is, and under CI, where there must be. */
export const noPgBouncer: string | undefined =
  program === null && process.env.CI !== "true" ? "no PgBouncer (apt-get install pgbouncer)" : undefined;

if (noPgBouncer) console.warn(`skipped what needs it: ${noPgBouncer}`);

/**
 * With so few connections to the server that transactions of different clients follow each other on each. `settings` are lines of
 * its configuration.
 */
export async function startPgBouncer(url: string, ...settings: readonly string[]): Promise<PgBouncer> {
  const folder = tempFolder();
  const target = new URL(url);
  const port = freePort();
  const config = join(folder.path, "pgbouncer.ini");
  const password = target.password === "" ? "" : ` password=${decodeURIComponent(target.password)}`;
  writeFileSync(
    config,
    `[databases]
* = host=${target.hostname} port=${target.port || 5432} user=${decodeURIComponent(target.username)}${password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
${settings.join("\n")}
`,
  );
  // It refuses to run as root, and then has to be let into the folder.
  chmodSync(folder.path, 0o755);
  const child = Bun.spawn([...(isRoot ? asNobody : []), program ?? "pgbouncer", config], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  let said = "";
  void collect(child.stderr, (text) => (said += text));
  await waitUntil(`PgBouncer is up (said: ${said})`, () => said.includes("process up"));
  return {
    url: Object.assign(new URL(url), { host: `127.0.0.1:${port}` }).href,
    complaints: () => said.split("\n").filter((line) => /\] (WARNING|ERROR|FATAL) /.test(line)),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
      folder[Symbol.dispose]();
    },
  };
}

const asNobody = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"];
