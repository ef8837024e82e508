import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { ensureHome } from "../../../src/home.ts";
import { openStore } from "../../../src/store/open.ts";
import { newJob } from "../../support/sample-jobs.ts";
import { tempFolder } from "../../support/temp-home.ts";
import { sqlite } from "../../support/temp-sqlite.ts";
import { tempStore } from "../../support/temp-store.ts";
import { waitUntil } from "../../support/wait-until.ts";

setDefaultTimeout(180_000);

test.each(["plain", "back\\slash", "b\\", "\\"])(
  "a commit in a home folder called %s is heard of",
  async (name) => {
    using folder = tempFolder();
    const home = join(folder.path, name);
    ensureHome(home);
    await using store = await openStore({ home });
    await using other = await openStore({ home });
    let heard = 0;
    using _watch = store.watch(() => heard++);
    for (let jobs = 1; jobs <= 2; jobs++) {
      const before = heard;
      await other.jobs.enqueue(newJob());
      await waitUntil("it is heard of", () => heard > before);
    }
    expect((await store.stats.read()).pending).toBe(2);
  },
);

test("there is no news as long as nothing is written, however much is read", async () => {
  await using temp = await tempStore(sqlite);
  using watch = temp.store.watch(() => {});
  await temp.store.jobs.enqueue(newJob());
  expect(await watch.hasNews()).toBe(true);
  await temp.store.stats.read();
  await (await temp.another()).jobs.find("1").catch(() => {});
  expect(await watch.hasNews()).toBe(false);
});
