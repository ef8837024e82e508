// Records the README's moving picture from a real session, typed into a real shell at a real terminal: `bun docs/recording.ts`, into
// docs/images/. Waits of more than a second or so are cut, and nothing else.

import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { queuectl } from "../test/support/queuectl.ts";
import { plainEnvironment } from "../test/support/shell.ts";
import { waitUntil } from "../test/support/wait-until.ts";
import { camera, film } from "./film.ts";

const size = { columns: 92, rows: 31 };

const typed = [
  "ls *.log | queuectl enqueue --each 'xz -9 {}' --tag logs --max-retries 1",
  "queuectl worker start --detach --count 2",
  "queuectl wait --tag logs",
  "queuectl dlq list",
  "queuectl logs ",
  "rm mail.log.xz && queuectl dlq retry-all && queuectl wait --tag logs",
  "queuectl list",
];

await using q = queuectl({});
await q.ok("config", "set", "backoff_base", "1");
const folder = join(q.folder, "logs");
mkdirSync(folder);
for (const name of ["auth", "cron", "db", "mail", "web"])
  writeFileSync(join(folder, `${name}.log`), randomBytes(1_500_000).toString("base64"));
// What goes wrong, as it does: one of them was compressed before.
writeFileSync(join(folder, "mail.log.xz"), "");

const shot = camera(size);
/** Told by the shell whenever it waits for a command; no terminal shows it. */
const prompt = "\x1b]133;A\x07";
const decoder = new TextDecoder();
let shown = "";
const shell = Bun.spawn(["/bin/bash", "--norc", "--noprofile", "-i"], {
  cwd: folder,
  env: {
    ...plainEnvironment(q),
    TERM: "xterm-256color",
    PS1: "\\[\\e]133;A\\a\\e[36m\\]$\\[\\e[39m\\] ",
    HISTFILE: "",
  },
  terminal: {
    cols: size.columns,
    rows: size.rows,
    data(_terminal, bytes) {
      shown += decoder.decode(bytes, { stream: true });
      shot.write(bytes);
    },
  },
});
const prompts = () => shown.split(prompt).length - 1;
await waitUntil("the shell is there", () => prompts() === 1);
await Bun.sleep(600);
for (const line of typed) {
  const words = line.endsWith(" ") ? `${line}${(await deadOne()).slice(0, 4)}` : line;
  for (const key of words) {
    shell.terminal!.write(key);
    await Bun.sleep(32);
  }
  await Bun.sleep(250);
  const before = prompts();
  shell.terminal!.write("\r");
  await waitUntil(`"${words}" has ended`, () => prompts() > before, 120_000);
  await Bun.sleep(1000);
}
const frames = await shot.stop();
shell.terminal!.write("exit\r");
await shell.exited;
await q.ok("worker", "stop", "--wait");

const title = "A session: five files are compressed in the background, one fails, is mended and done again";
writeFileSync(join(import.meta.dir, "images/session.svg"), film(frames, size, title));

async function deadOne(): Promise<string> {
  const [dead] = await q.json("dlq", "list");
  return dead.id;
}
