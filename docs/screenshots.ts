// Takes the README's pictures of the dashboard from a queue that is really at work: `bun docs/screenshots.ts`, into docs/images/.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { closeBrowser, openPage } from "../test/support/browser.ts";
import { waitUntil } from "../test/support/wait-until.ts";
import { webServer } from "../test/support/web-server.ts";

const images = join(import.meta.dir, "images");
mkdirSync(images, { recursive: true });

await using web = await webServer();
const { q } = web;
await q.ok("config", "set", "backoff_base", "30");
const add = (command: string, ...options: string[]) => q.ok("enqueue", command, ...options);
for (let n = 1; n <= 24; n++)
  await add(`sleep 0.${n % 10}; echo frame ${n} encoded`, "--queue", "video", "--tag", "nightly");
for (let n = 1; n <= 5; n++)
  await add(`cp /srv/in/${n}.mov /backup/`, "--max-retries", "0", "--tag", "backup");
await add("pg_dump shop | gzip > shop.sql.gz", "--max-retries", "0", "--tag", "backup");
await add("curl -fsS http://127.0.0.1:9/feed", "--queue", "mail");
q.start("worker", "--count", "3", "--quiet");
await waitUntil("most ran", async () => (await q.json("status")).completed >= 24, 60_000);
await add(
  "for f in $(seq 9000); do printf '\\033[32m✓\\033[0m frame %4d  \\033[36m%s\\033[0m\\n' $f encoded; sleep 0.05; done",
  "--id",
  "encode",
  "--queue",
  "video",
);
await add("./report.sh --month october", "--delay", "2h", "--queue", "mail", "--tag", "monthly");
await waitUntil("it runs", async () => (await q.json("show", "encode")).state === "processing");

const pictures = [
  ["overview", "/", {}],
  ["overview-dark", "/", { dark: true }],
  ["jobs", "/jobs", {}],
  ["job-dark", "/jobs/encode", { dark: true }],
  ["dead-letters", "/dlq", {}],
  ["phone", "/", { phone: true }],
] as const;

for (const [name, path, options] of pictures) {
  await using open = await openPage(`${web.url}${path}`, options);
  if (name.startsWith("job-")) await open.page.locator("#L30").waitFor({ state: "attached" });
  else await open.page.locator("time").first().waitFor({ state: "attached" });
  await open.page.screenshot({ path: join(images, `${name}.png`) });
}
await closeBrowser();
