// A PostgreSQL server of our own, from Debian's binaries, that no test run leaves behind, however that ends.
//
// Its folder holds a pipe that this process keeps open. A shell in a session of its own reads from it, and so learns at once when
// this process is gone, by Ctrl-C and kill -9 too; then it stops the server and removes the folder.

import { appendFileSync, closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { freePort } from "./free-port.ts";
import { isRunning } from "./is-running.ts";
import { isRoot } from "./ordinary-user.ts";
import { waitUntil } from "./wait-until.ts";

/** `fast` as its administrator stops it, `immediate` without tidying up, `kill` as kill -9 of all of it. */
type ServerStop = "fast" | "immediate" | "kill";

export interface OwnPostgres extends AsyncDisposable {
  /** Of its database `postgres`, for an administrator. A restart does not change it. */
  readonly url: string;
  start(): Promise<void>;
  stop(how: ServerStop): Promise<void>;
  restart(how: ServerStop): Promise<void>;
  /** What the server wrote to its log. */
  log(): string;
}

const host = "127.0.0.1";

/** The server refuses to run as root. */
const asServerUser = isRoot ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"] : [];

/** Where the server's programs lie: Debian's newest, or those in the path; undefined where there are none. */
export function postgresPrograms(): string | undefined {
  const found = [...new Bun.Glob("/usr/lib/postgresql/*/bin/initdb").scanSync("/")];
  const versionOf = (path: string) => Number(path.split("/").at(-3));
  const newest = found.toSorted((a, b) => versionOf(b) - versionOf(a))[0] ?? Bun.which("initdb");
  return newest ? dirname(newest) : undefined;
}

/** Starts one, in about a second. Each setting is a line of postgresql.conf, such as `max_connections = 10`. */
export async function startPostgres(...settings: readonly string[]): Promise<OwnPostgres> {
  const folder = mkdtempSync(join(tmpdir(), "queuectl-pg-"));
  if (isRoot) await run("chown", "postgres", folder);
  const control = programIn(folder, "pg_ctl", "-D", dataIn(folder), "-w", "-s");
  const start = async () => {
    try {
      await run(...control, "-l", logIn(folder), "start");
    } catch (error) {
      throw new Error(`${error}\n${readFileSync(logIn(folder), "utf8")}`);
    }
  };
  const stop = (how: ServerStop) =>
    how === "kill" ? killServer(folder) : run(...control, "-m", how, "stop");
  const guarded = guard(folder, [...control, "-m", "immediate", "stop"]);
  const end = async () => {
    closeSync(guarded);
    await waitUntil("the server and its folder are gone", () => !existsSync(folder));
  };
  try {
    await makeCluster(folder, settings);
    const port = await onFreePort(folder, start);
    return {
      url: `postgres://postgres@${host}:${port}/postgres`,
      start,
      stop,
      async restart(how) {
        await stop(how);
        await start();
      },
      log: () => readFileSync(logIn(folder), "utf8"),
      [Symbol.asyncDispose]: end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

const dataIn = (folder: string) => join(folder, "data");
const logIn = (folder: string) => join(folder, "log");

function programIn(folder: string, program: string, ...words: string[]): string[] {
  const programs = postgresPrograms();
  if (!programs) throw new Error(`PostgreSQL's ${program} is missing for a server in ${folder}`);
  return [...asServerUser, join(programs, program), ...words];
}

/** Returns what keeps the server there: once it is closed, or this process gone, the server is stopped and its folder removed. */
function guard(folder: string, stop: readonly string[]): number {
  const pipe = join(folder, "alive");
  const made = Bun.spawnSync(["mkfifo", "-m", "600", pipe]);
  if (!made.success) throw new Error(`mkfifo: ${made.stderr}`);
  // For both ends, so that opening waits for nobody. No child inherits it.
  const alive = openSync(pipe, "r+");
  const script = `{ read -r _ <"$0/alive"; cd /; "$@"; rm -rf "$0"; } </dev/null >/dev/null 2>&1 &`;
  // The shell that waits is nobody's child, so that a test that runs out of time does not end it.
  const { success } = Bun.spawnSync(["sh", "-c", script, folder, ...stop], { detached: true });
  if (!success) throw new Error("the server's guard did not start");
  return alive;
}

async function makeCluster(folder: string, settings: readonly string[]): Promise<void> {
  const locale = ["--encoding=UTF8", "--locale=C.UTF-8"];
  const owner = ["--username=postgres", "--auth=trust"];
  await run(...programIn(folder, "initdb", "-D", dataIn(folder), ...owner, ...locale, "--no-sync"));
  const lines = [
    `listen_addresses = '${host}'`,
    `unix_socket_directories = '${folder}'`,
    // What dies with the machine may: the tests kill servers, not machines.
    "fsync = off",
    "full_page_writes = off",
    ...settings,
  ];
  appendFileSync(join(dataIn(folder), "postgresql.conf"), `\n${lines.join("\n")}\n`);
}

/** Another program may take a port between the question and the start. */
async function onFreePort(folder: string, start: () => Promise<void>): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const port = freePort();
    appendFileSync(join(dataIn(folder), "postgresql.conf"), `port = ${port}\n`);
    try {
      await start();
      return port;
    } catch (error) {
      if (attempt === 5) throw error;
    }
  }
}

async function killServer(folder: string): Promise<void> {
  const lock = join(dataIn(folder), "postmaster.pid");
  const [pid, , , port] = readFileSync(lock, "utf8").split("\n").map(Number) as [number, 0, 0, number];
  const children = Bun.spawnSync(["pgrep", "-P", `${pid}`])
    .stdout.toString()
    .split("\n")
    .filter(Boolean);
  const all = [pid, ...children.map(Number)];
  for (const one of all) {
    try {
      process.kill(one, "SIGKILL");
    } catch {
      // A session that ended by itself.
    }
  }
  await waitUntil("all of the server is gone", () => !all.some(isRunning));
  // In a container whose first process buries nobody, the dead server would seem to hold it still.
  rmSync(lock);
  rmSync(join(folder, `.s.PGSQL.${port}.lock`));
}

async function run(...words: readonly string[]): Promise<void> {
  const child = Bun.spawn([...words], { cwd: "/", stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if ((await child.exited) !== 0) throw new Error(`${words.join(" ")}: ${stderr || stdout}`);
}
