// What is done to very many jobs: in windows, with a page that tells how far it is.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Store } from "../../src/store/store.ts";
import { makeApp } from "../../src/web/app.ts";
import type { Deed } from "../../src/web/audit.ts";
import { newJob } from "../support/sample-jobs.ts";
import { tempFolder } from "../support/temp-home.ts";
import { tempSqlite } from "../support/temp-sqlite.ts";
import { waitUntil } from "../support/wait-until.ts";
import { webOf } from "../support/web-of.ts";
import { webServer } from "../support/web-server.ts";

setDefaultTimeout(180_000);

/** A dashboard on 1,200 jobs whose changes go on window by window, each when it is let through. */
async function slowDashboard() {
  const temp = await tempSqlite();
  const folder = tempFolder();
  async function* jobs() {
    for (let n = 0; n < 1200; n++) yield newJob();
  }
  await temp.store.jobs.enqueueAll(jobs());
  const waiting: (() => void)[] = [];
  let fault: Error | undefined;
  const change: Store["matching"]["change"] = async (...asked) => {
    await new Promise<void>((go) => waiting.push(go));
    if (fault) throw fault;
    return temp.store.matching.change(...asked);
  };
  const store = { ...temp.store, matching: { ...temp.store.matching, change } };
  const written: Deed[] = [];
  const audit = { write: (entry: Deed) => void written.push(entry), enqueuedBy: () => undefined };
  const app = makeApp({ ...webOf(store, folder.path), audit });
  const ask = (path: string, fields?: Record<string, string>) =>
    app.handle(
      new Request(`http://localhost${path}`, {
        headers: { accept: "text/html", "content-type": "application/x-www-form-urlencoded" },
        ...(fields && { method: "POST", body: new URLSearchParams(fields).toString() }),
      }),
    );
  return {
    store: temp.store,
    ask,
    written,
    /** Lets the next window through. */
    async next() {
      await waitUntil("a window waits", () => waiting.length > 0);
      waiting.shift()!();
    },
    failWith: (error: Error) => {
      fault = error;
    },
    deleteAll: async () => {
      const newest = String(await temp.store.matching.newest());
      return ask("/jobs/act", { do: "delete", all: "yes", newest, back: "/jobs?queue=default" });
    },
    async [Symbol.asyncDispose]() {
      await temp[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

const stateOf = (page: string) => /id="bulk-state">(.*?)<\/p>/s.exec(page)![1]!.replace(/<[^>]*>/g, "");

describe("a change of very many jobs", () => {
  test("that takes long is answered with a page that tells how far it is, with and without scripts", async () => {
    await using slow = await slowDashboard();
    const answer = slow.deleteAll();
    await slow.next();
    const { status, headers } = await answer;
    const path = headers.get("location")!.split("?")[0]!;
    expect([status, path]).toEqual([303, expect.stringMatching(/^\/bulk\/[\w-]{12}$/)]);
    const page = async () => (await slow.ask(path)).text();
    const first = await page();
    expect(stateOf(first)).toBe("Under way: 500 jobs changed so far");
    expect(first).toContain('http-equiv="refresh"');
    expect(first).toContain(`hx-get="/p${path}"`);
    await slow.next();
    await waitUntil("the second window", async () => stateOf(await page()).includes("1,000 jobs"));
    await slow.next();
    await waitUntil("the end", async () => stateOf(await page()) === "Done: 1,200 jobs changed");
    const last = await page();
    expect(last).not.toContain('http-equiv="refresh"');
    expect(last).toContain('href="/jobs?queue=default"');
    expect((await slow.store.stats.read()).total).toBe(0);
  });

  test("stops where it is told to, and what was changed stays changed", async () => {
    await using slow = await slowDashboard();
    const answer = slow.deleteAll();
    await slow.next();
    const path = (await answer).headers.get("location")!.split("?")[0]!;
    expect((await slow.ask(`${path}/stop`, { back: path })).status).toBe(303);
    await slow.next();
    await waitUntil("it stopped", async () =>
      stateOf(await (await slow.ask(path)).text()).startsWith("Stopped: 1,000"),
    );
    expect((await slow.store.stats.read()).total).toBe(200);
  });

  test("that fails on its way says so on its page", async () => {
    await using slow = await slowDashboard();
    const answer = slow.deleteAll();
    await slow.next();
    const path = (await answer).headers.get("location")!.split("?")[0]!;
    slow.failWith(new Error("secret /home/x"));
    await slow.next();
    const page = await waitUntil("it failed", async () => {
      const text = await (await slow.ask(path)).text();
      return stateOf(text).startsWith("It failed: 500") ? text : undefined;
    });
    expect(page).toContain('role="alert"');
    expect(page).not.toContain("secret");
  });

  test("that the API is asked for is written down as far as it came", async () => {
    await using slow = await slowDashboard();
    const answer = slow.ask("/api/v1/jobs/delete?all=yes", {});
    await slow.next();
    slow.failWith(new Error("the disk is gone"));
    await slow.next();
    expect((await answer).status).toBe(500);
    expect(slow.written).toMatchObject([{ action: "delete", count: 500 }]);
  });

  test("that is soon done is answered as any form is", async () => {
    await using web = await webServer();
    await web.q.ok("enqueue", "true", "--queue", "mail");
    const newest = "1";
    const answer = await web.post("/jobs/act", {
      do: "delete",
      all: "yes",
      newest,
      back: "/jobs?queue=mail",
    });
    expect(answer.headers.get("location")).toStartWith("/jobs?queue=mail&notice=");
    expect((await web.get("/bulk/unknown-one")).status).toBe(404);
  });
});
