// The floor of add: `enqueue true` in one file that keeps the same promises. It looks whether the database may be used, reads the
// settings, stores the job durably as queuectl's tables have it, and prints its id.

import { Database } from "bun:sqlite";
import { accessSync, constants, readFileSync, statSync, writeSync } from "node:fs";

const [name, command] = process.argv.slice(2);
if (name !== "enqueue" || !command?.trim()) throw new Error("say what to run");

const environment = Object.fromEntries(
  readFileSync("/proc/self/environ", "utf8")
    .split("\0")
    .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
);
const path = `${environment.QUEUECTL_HOME}/queue.db`;
accessSync(path, constants.R_OK | constants.W_OK);
const { ino } = statSync(path);

const db = new Database(path, { readwrite: true, strict: true });
db.run("pragma busy_timeout = 100; pragma synchronous = full");
const schema = db.query<{ user_version: number }, []>("pragma user_version").get()!.user_version;
const settings = Object.fromEntries(db.query("select key, value from settings").values());
if (schema !== 1 || statSync(path).ino !== ino) throw new Error(`${path} is no database of this version`);

const id = Buffer.from(crypto.getRandomValues(new Uint8Array(5))).toString("hex");
const now = Date.now();
const enqueue = db.transaction(() => {
  db.query(`
    insert into jobs (
      id, command, state, ready, max_retries, priority, timeout, queue, tags, cwd, env,
      run_at, next_run_at, created_at, updated_at
    ) values ($id, $command, 'pending', 1, $max_retries, 1, 3600, 'default', '[]', $cwd, $env, $now, $now, $now, $now)
  `).run({
    id,
    command: command,
    max_retries: Number(settings.max_retries ?? 3),
    cwd: process.cwd(),
    env: JSON.stringify({ PATH: environment.PATH }),
    now,
  });
  db.query(`
    insert into counts (queue, state, jobs, ms) values ('default', 'pending', 1, 0)
    on conflict (queue, state) do update set jobs = jobs + 1
  `).run();
});
enqueue.immediate();
writeSync(1, `${id}\n`);
db.close();
