// The dashboard in a real browser: what people do with it, with and without scripts.

import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import axe from "axe-core";
import { closeBrowser, hasBrowser, openPage } from "../support/browser.ts";
import { waitUntil } from "../support/wait-until.ts";
import { type WebServer, webServer } from "../support/web-server.ts";

setDefaultTimeout(90_000);
afterAll(closeBrowser);

/** Letters, dim ones, inverse ones, and black and white on a ground, in each of the terminal's own colours and in none. */
const allColours = `for n in 0 1 2 3 4 5 6 7; do printf "\\033[3\${n}mletters\\033[2m dim\\033[22;7m inverse\\033[0m \\033[9\${n}mletters\\033[2m dim\\033[22;7m inverse\\033[0m \\033[30;4\${n}mblack\\033[37m white\\033[97;10\${n}m white\\033[90m black\\033[0m\\n"; done; printf "\\033[2mdim\\033[7m inverse\\033[0m \\033[7minverse\\033[0m\\n"`;

/** Jobs in most states, with tags, errors and output. */
async function filled(): Promise<WebServer> {
  const web = await webServer({ env: { QUEUECTL_BACKOFF_BASE: "100", QUEUECTL_REFRESH_INTERVAL: "0.5" } });
  const { q } = web;
  async function enqueue(...jobs: readonly object[]) {
    const stdin = jobs.map((job) => `${JSON.stringify(job)}\n`).join("");
    expect(await q.with({ stdin }, "enqueue", "--file", "-")).toMatchObject({ status: 0 });
  }
  await enqueue(
    { id: "done", command: "echo hello", tags: ["nightly"] },
    { id: "dead-1", command: "exit 3", max_retries: 0 },
    { id: "dead-2", command: "no-such-command", max_retries: 0 },
    { id: "retrying", command: "exit 1" },
    { id: "colours", command: `printf '\\033[31mred\\033[0m text\\n'; ${allColours}` },
  );
  const worker = q.start("worker", "--quiet");
  await waitUntil("all ran", async () => {
    const { dead, completed, failed } = await q.json("status");
    return dead === 2 && completed === 2 && failed === 1;
  });
  worker.kill("SIGTERM");
  await worker.exited;
  await enqueue(
    { id: "later", command: "echo later", run_at: "2099-01-01T00:00:00Z", queue: "mail" },
    { id: "waits", command: "echo waits" },
  );
  return web;
}

/** One that has run and one that is paused; and an alert. */
async function withSchedules(web: WebServer): Promise<void> {
  await web.q.ok("schedule", "add", "nightly", "30 2 * * *", "./backup.sh --all", "--tz", "Europe/Berlin");
  await web.q.ok("schedule", "add", "paused", "*/10 * * * * *", `echo ${"x".repeat(500)}`);
  await web.q.ok("schedule", "run", "nightly");
  await web.q.ok("alert", "add", "nightly", "--on", "dead", "--on", "completed", "--command", "true");
  await web.q.ok("schedule", "pause", "paused");
}

const state = async (web: WebServer, id: string): Promise<string> => (await web.q.json("show", id)).state;

describe.if(hasBrowser)("the dashboard in a browser", () => {
  test("a dead job is retried by its button, and the page stays and says so", async () => {
    await using web = await filled();
    await using open = await openPage(`${web.url}/dlq`);
    const { page } = open;
    await page.getByRole("button", { name: "Retry: job dead-1" }).click();
    await page.getByText("Job dead-1 is back in its queue").waitFor();
    expect(await state(web, "dead-1")).toBe("pending");
    await page.locator("#job-dead-1").waitFor({ state: "detached" });
    expect(page.url()).toBe(`${web.url}/dlq`);
    expect(open.complaints).toEqual([]);
  });

  test("a job is enqueued by the form, with all that was typed", async () => {
    await using web = await filled();
    await using open = await openPage(`${web.url}/enqueue`);
    const { page } = open;
    await page.getByLabel("Command").fill("echo from the form");
    await page.getByLabel("Queue").fill("mail");
    await page.getByLabel("Priority").selectOption("5");
    await page.getByLabel("Tags").fill("a, b");
    await page.getByLabel("Id", { exact: true }).fill("formed");
    await page.getByLabel("Timeout").fill("1m30s");
    await page.getByLabel("Environment").fill("K=v w");
    await page.getByRole("button", { name: "Look it over" }).click();
    // The button that goes on has the focus.
    await page.getByRole("heading", { name: "Enqueue this?" }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByText("Job formed is in the queue").waitFor();
    const job = await web.q.json("show", "formed");
    expect(job).toMatchObject({
      command: "echo from the form",
      queue: "mail",
      priority: 5,
      tags: ["a", "b"],
      timeout: 90,
    });
    expect(job.env.K).toBe("v w");
    expect(page.url()).toBe(`${web.url}/jobs/formed`);
    expect(open.complaints).toEqual([]);
  });

  test("a button that is clicked again before its answer came sends its form once", async () => {
    await using web = await webServer();
    await using open = await openPage(`${web.url}/enqueue?command=true`);
    const { page } = open;
    /** The first request is on its way, and not answered yet, when the button is clicked once more. */
    async function clickTwice(name: string): Promise<number> {
      const [sent, clicked] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      let requests = 0;
      await page.route("**/*", async (route) => {
        if (route.request().method() !== "POST") return route.continue();
        requests++;
        sent.resolve();
        await clicked.promise;
        // The browser cares no more for it when it has sent another.
        await route.continue().catch(() => {});
      });
      const button = page.getByRole("button", { name, exact: true });
      await button.scrollIntoViewIfNeeded();
      const { x, y, width, height } = (await button.boundingBox())!;
      const click = () => page.mouse.click(x + width / 2, y + height / 2);
      await click();
      await sent.promise;
      await click();
      clicked.resolve();
      await page.waitForURL(/\/jobs\/own|\/workers/);
      await page.unrouteAll();
      return requests;
    }
    await page.getByLabel("Id", { exact: true }).fill("own");
    await page.getByRole("button", { name: "Look it over" }).click();
    await page.getByRole("heading", { name: "Enqueue this?" }).waitFor();
    expect(await clickTwice("Enqueue")).toBe(1);
    await page.getByText("Job own is in the queue").waitFor();
    await page.goto(`${web.url}/workers`);
    expect(await clickTwice("Start")).toBe(1);
    await page.getByText(/^Started /).waitFor();
    expect(open.complaints).toEqual([]);
  });

  test("a form that was sent can be sent again when one has come back to it", async () => {
    await using web = await webServer();
    await using open = await openPage(`${web.url}/enqueue?command=true`);
    const { page } = open;
    for (const id of ["one", "two"]) {
      await page.getByLabel("Id", { exact: true }).fill(id);
      await page.getByRole("button", { name: "Look it over" }).click();
      await page.getByRole("heading", { name: "Enqueue this?" }).waitFor();
      await page.goBack();
    }
    expect(open.complaints).toEqual([]);
  });

  test("what is refused is said beside what was typed, which stays", async () => {
    await using web = await filled();
    await using open = await openPage(`${web.url}/enqueue`);
    const { page } = open;
    await page.getByLabel("Command").fill("echo kept");
    await page.getByLabel("Retries").fill("many");
    await page.getByRole("button", { name: "Look it over" }).click();
    expect(await page.getByRole("alert").textContent()).toContain("“Retries” cannot be");
    expect(await page.getByLabel("Command").inputValue()).toBe("echo kept");
    expect((await web.q.json("status")).total).toBe(7);
  });

  test("a command with characters that cannot be seen is shown with them, and enqueued when it is meant (D22)", async () => {
    await using web = await webServer();
    await using open = await openPage(`${web.url}/enqueue`);
    const { page } = open;
    await page.getByLabel("Command").fill("rm \u202ecba");
    await page.getByRole("button", { name: "Look it over" }).click();
    await page.getByRole("alert").getByText("U+202E").waitFor();
    expect(await page.locator(".command-block mark").textContent()).toBe("U+202E");
    expect((await web.q.json("status")).total).toBe(0);
    await page.getByRole("button", { name: "Enqueue" }).click();
    await page.getByRole("alert").getByText("U+202E").waitFor();
    expect((await web.q.json("status")).total).toBe(0);
    await page.getByLabel("These characters are meant").check();
    await page.getByRole("button", { name: "Enqueue" }).click();
    await page.getByText("is in the queue").waitFor();
    expect(await page.locator(".command-block mark").textContent()).toBe("U+202E");
  });

  test("a page whose job is deleted meanwhile says so once, and asks no more", async () => {
    await using web = await filled();
    await using open = await openPage(`${web.url}/jobs/done`);
    const { page } = open;
    let asked = 0;
    page.on("request", (request) => {
      if (request.url().includes("/p/jobs/done")) asked++;
    });
    await web.q.ok("delete", "done");
    await page.getByText("What this page shows is gone").waitFor();
    const before = asked;
    await Bun.sleep(1500);
    expect(asked).toBe(before);
    expect(await page.locator("#notices .notice").count()).toBe(0);
    expect(await page.locator("h1 .id").textContent()).toBe("done");
  });

  test("on a phone no label of the chart lies on another", async () => {
    await using web = await webServer();
    await web.q.ok("enqueue", "true");
    await web.q.ok("worker", "--until-empty", "--quiet");
    await using open = await openPage(`${web.url}/`, { phone: true });
    const boxes = await Promise.all(
      (await open.page.locator(".bars .axis").all()).map((label) => label.boundingBox()),
    );
    const overlaps = boxes.filter((one, index) =>
      boxes
        .slice(0, index)
        .some(
          (other) =>
            one!.x < other!.x + other!.width &&
            other!.x < one!.x + one!.width &&
            one!.y < other!.y + other!.height &&
            other!.y < one!.y + one!.height,
        ),
    );
    expect([boxes.length, overlaps]).toEqual([6, []]);
  });

  test("no name is so long, and no window so narrow (1280 pixels at 400 %), that a page is wider than it", async () => {
    await using web = await webServer();
    const [job, queue] = ["w".repeat(64), "q".repeat(64)];
    await web.q.ok("enqueue", "true", "--id", job, "--queue", queue);
    await web.q.ok("config", "set", "backoff_base", "3");
    await using open = await openPage(`${web.url}/`);
    const { page } = open;
    await page.setViewportSize({ width: 320, height: 640 });
    const found: string[] = [];
    for (const path of [
      `/confirm/delete/${job}`,
      `/queues/${queue}`,
      `/jobs/${"n".repeat(64)}`,
      "/settings",
    ]) {
      await page.goto(`${web.url}${path}`);
      const over = await page.evaluate("document.documentElement.scrollWidth - 320");
      if (over !== 0) found.push(`${path}: ${over} pixels too wide`);
    }
    expect(found).toEqual([]);
    expect(open.complaints).toEqual([]);
  });

  test("on a phone what can be done with a schedule, an alert, a queue or a worker is seen without scrolling sideways", async () => {
    await using web = await filled();
    await withSchedules(web);
    const worker = web.q.start("worker", "--quiet", "--queue", "q".repeat(64));
    await waitUntil("a worker is there", async () => (await web.q.json("worker", "list")).length === 1);
    await using open = await openPage(`${web.url}/`, { phone: true });
    const seen: Record<string, number> = {};
    for (const path of ["/schedules", "/alerts", "/queues", "/workers"]) {
      await open.page.goto(`${web.url}${path}`);
      seen[path] = 0;
      for (const button of await open.page.locator("td.do .button").all()) {
        const { x, width } = (await button.boundingBox())!;
        if (x >= 0 && x + width <= 390) seen[path]++;
      }
    }
    worker.kill("SIGTERM");
    expect(seen).toEqual({ "/schedules": 6, "/alerts": 3, "/queues": 4, "/workers": 1 });
    expect(open.complaints).toEqual([]);
  });

  test("on a phone the page's own tab is seen among the others", async () => {
    await using web = await webServer();
    await using open = await openPage(`${web.url}/settings`, { phone: true });
    const tab = open.page.locator("#nav [aria-current]");
    await waitUntil("the tab is seen", async () => {
      const { x, width } = (await tab.boundingBox())!;
      return x >= 0 && x + width <= 390;
    });
    expect(open.complaints).toEqual([]);
  });

  test("a server that does not answer is said to be silent, also on a phone, once, and until it answers again", async () => {
    await using web = await webServer({ env: { QUEUECTL_REFRESH_INTERVAL: "0.5" } });
    await using open = await openPage(`${web.url}/`, { phone: true });
    const { page } = open;
    await page.route("**/p/**", (route) => route.abort());
    const said = page.locator("#freshness");
    await page.getByText("No answer since").waitFor();
    const text = await said.textContent();
    await Bun.sleep(2100);
    expect(await said.textContent()).toBe(text);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
    await page.unrouteAll();
    await waitUntil("it is well again", async () => (await said.textContent()) === "");
  });

  test("filters are in the address", async () => {
    await using web = await filled();
    await using open = await openPage(`${web.url}/jobs`);
    const { page } = open;
    await page.getByRole("navigation", { name: "States" }).getByRole("link", { name: /^dead/ }).click();
    await page.getByRole("searchbox").fill("no-such");
    await page.getByRole("button", { name: "Filter" }).click();
    await page.waitForURL(/state=dead&q=no-such/);
    expect(await page.locator("tbody tr").count()).toBe(1);
    expect(await page.locator("tbody .id").textContent()).toBe("dead-2");
    await page.goBack();
    expect(await page.locator("tbody tr").count()).toBe(2);
  });

  test("ticked rows are deleted after a question that names them, and nothing refreshes meanwhile", async () => {
    await using web = await filled();
    await using open = await openPage(`${web.url}/jobs?state=dead`);
    const { page } = open;
    await page.getByLabel("Select all rows").check();
    await page.getByText("Paused while rows are ticked").waitFor();
    expect(await page.locator("#ticked").textContent()).toBe("With 2 ticked rows");
    await page.getByRole("button", { name: "Delete", exact: true }).first().click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("Delete 2 jobs?").waitFor();
    expect(await dialog.getByRole("listitem").allTextContents()).toEqual(["dead-2", "dead-1"]);
    await dialog.getByRole("button", { name: "Delete" }).click();
    await page.getByText("2 jobs deleted").waitFor();
    expect((await web.q.json("status")).dead).toBe(0);
    expect(open.complaints).toEqual([]);
  });

  test("all that match are meant with the exact number, and Back changes nothing", async () => {
    await using web = await filled();
    await using open = await openPage(`${web.url}/jobs`);
    const { page } = open;
    await page.getByLabel("all 7 that match").check();
    await page.locator("#bulk-cancel").click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("Cancel all 7 jobs?").waitFor();
    await dialog.getByRole("link", { name: "Back" }).click();
    await dialog.waitFor({ state: "hidden" });
    expect((await web.q.json("status")).cancelled).toBe(0);
    await page.locator("#bulk-cancel").click();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await page.getByText("3 jobs cancelled").waitFor();
    expect((await web.q.json("status")).cancelled).toBe(3);
  });

  test("the page refreshes itself, and keeps what is typed, the focus and what is open", async () => {
    await using web = await filled();
    await using open = await openPage(`${web.url}/jobs`);
    const { page } = open;
    await page.getByRole("searchbox").fill("half a wo");
    await web.q.ok("enqueue", "echo news", "--id", "news");
    await page.locator("#job-news").waitFor();
    expect(await page.getByRole("searchbox").inputValue()).toBe("half a wo");
    expect(await page.evaluate("document.activeElement.id")).toBe("q");
    await page.goto(`${web.url}/`);
    await page.getByText("The same in numbers").click();
    await web.q.ok("enqueue", "echo more", "--id", "more");
    await page.locator("#job-more").waitFor();
    expect(await page.evaluate("document.getElementById('numbers').open")).toBe(true);
    expect(open.complaints).toEqual([]);
  });

  test("the focus stays on a button that turns, and goes on to what follows a row that went away", async () => {
    await using web = await filled();
    await using open = await openPage(`${web.url}/dlq`);
    const { page } = open;
    const focused = () => page.evaluate("document.activeElement.id || document.activeElement.textContent");
    await page.locator("#retry-dead-2").press("Enter");
    await page.locator("#job-dead-2").waitFor({ state: "detached" });
    await waitUntil("the next row has the focus", async () => (await focused()) === "dead-1");
    await page.goto(`${web.url}/queues`);
    await page.getByRole("button", { name: "Pause mail" }).press("Enter");
    await page.getByRole("button", { name: "Resume mail" }).waitFor();
    expect(await focused()).toBe("pause-mail");
    await page.goto(`${web.url}/jobs/waits`);
    await page.getByRole("button", { name: "Hold" }).press("Enter");
    await page.getByRole("button", { name: "Release" }).waitFor();
    expect(await focused()).toBe("hold");
    expect(open.complaints).toEqual([]);
  });

  test("nothing is swapped when nothing changed, and nothing is asked for while it is paused", async () => {
    await using web = await filled();
    await using open = await openPage(`${web.url}/dlq`);
    const { page } = open;
    const statuses: number[] = [];
    page.on("response", (answer) => {
      if (answer.url().includes("/p/dlq")) statuses.push(answer.status());
    });
    await waitUntil("it asked some times", () => statuses.length >= 4);
    expect(statuses.slice(1).every((status) => status === 304)).toBe(true);
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByText("Paused", { exact: true }).waitFor();
    const asked = statuses.length;
    await web.q.ok("enqueue", "exit 1", "--id", "late");
    await Bun.sleep(1500);
    expect(statuses.length).toBeLessThanOrEqual(asked + 1);
  });

  test("the output of a running job comes by itself, in its colours, to the end", async () => {
    await using web = await webServer();
    const go = `${web.q.folder}/go`;
    await web.q.ok(
      "enqueue",
      `echo first; printf 'half'; until [ -e ${go} ]; do sleep 0.05; done; printf ' whole\\n\\033[32mgreen\\033[0m\\n'`,
      "--id",
      "live",
    );
    web.q.start("worker", "--quiet");
    await waitUntil("it runs", async () => (await state(web, "live")) === "processing");
    await using open = await openPage(`${web.url}/jobs/live`);
    const { page } = open;
    await page.locator("#L1").getByText("first").waitFor();
    await waitUntil(
      "the unfinished line is shown",
      async () => (await page.locator("#log-tail").textContent()) === "half",
    );
    expect(await page.locator("#log-live").textContent()).toBe("live");
    await Bun.write(go, "");
    await page.locator("#L2").getByText("half whole").waitFor();
    expect(await page.locator("#L3 .f2").textContent()).toBe("green");
    expect(await page.locator(".line").count()).toBe(3);
    await page.locator("h1").getByText("completed").waitFor();
    await page.locator("#log-live").waitFor({ state: "detached" });
    // What refreshes the page later must not begin the stream anew.
    for (const id of ["one", "two"]) {
      await web.q.ok("enqueue", "exit 1", "--max-retries", "0", "--id", id);
      await page
        .locator("#nav .is-alarm")
        .getByText(id === "one" ? "1" : "2", { exact: true })
        .waitFor();
    }
    await Promise.all([page.waitForResponse(/\/p\/jobs\/live/), page.waitForResponse(/\/p\/jobs\/live/)]);
    expect(await page.locator(".line").count()).toBe(3);
    expect(open.complaints).toEqual([]);
  });

  test("a log follows its end only while its end is looked at", async () => {
    await using web = await webServer();
    const go = `${web.q.folder}/go`;
    await web.q.ok(
      "enqueue",
      `seq 500; until [ -e ${go} ]; do sleep 0.05; done; seq 501 600`,
      "--id",
      "long",
    );
    web.q.start("worker", "--quiet");
    await using open = await openPage(`${web.url}/jobs/long`);
    const { page } = open;
    await page.locator("#L500").waitFor({ state: "attached" });
    const atEnd = () =>
      page.evaluate(
        "(() => { const log = document.getElementById('log'); return log.scrollHeight - log.scrollTop - log.clientHeight < 30; })()",
      );
    await waitUntil("it is at the end", async () => (await atEnd()) === true);
    await page.evaluate("document.getElementById('log').scrollTop = 100");
    await page.getByRole("button", { name: "Jump to the newest" }).waitFor();
    await Bun.write(go, "");
    await page.locator("#L600").waitFor({ state: "attached" });
    expect(await page.evaluate("document.getElementById('log').scrollTop")).toBe(100);
  });

  test("Back to a job says which attempt's output is shown, and back to the jobs how many are ticked", async () => {
    await using web = await webServer({ env: { QUEUECTL_BACKOFF_BASE: "1", QUEUECTL_BACKOFF_MAX: "0" } });
    await web.q.ok("enqueue", "exit 1", "--id", "twice", "--max-retries", "1");
    await web.q.with({}, "worker", "--until-empty", "--quiet");
    await using open = await openPage(`${web.url}/jobs/twice`);
    const { page } = open;
    const picker = page.getByLabel("Attempt");
    await picker.selectOption("1");
    await page.waitForURL(/attempt=1/);
    await page.goBack();
    await page.waitForURL(`${web.url}/jobs/twice`);
    expect(await picker.inputValue()).toBe("2");
    await page.goto(`${web.url}/jobs`);
    await page.getByRole("checkbox", { name: "twice" }).check();
    await page.locator("tbody .id").click();
    await page.waitForURL(`${web.url}/jobs/twice`);
    await page.goBack();
    await page.getByText("With 1 ticked row").waitFor();
    expect(open.complaints).toEqual([]);
  });

  test("on paper the output is whole, and dark on white also for who reads it in the dark", async () => {
    await using web = await webServer();
    await web.q.ok("enqueue", "seq 300", "--id", "long");
    await web.q.ok("worker", "--until-empty", "--quiet");
    await using open = await openPage(`${web.url}/jobs/long`);
    const { page, context } = open;
    await context.addCookies([{ name: "qctl_theme", value: "dark", url: web.url }]);
    await page.reload();
    const seen = () =>
      page.evaluate(
        "(() => { const log = document.getElementById('log'); return [log.scrollHeight === log.clientHeight, getComputedStyle(document.documentElement).colorScheme]; })()",
      );
    expect(await seen()).toEqual([false, "dark"]);
    await page.emulateMedia({ media: "print" });
    expect(await seen()).toEqual([true, "light"]);
    expect(open.complaints).toEqual([]);
  });

  test("a text is looked for in the output, and a link to a line leads to it however far it is", async () => {
    await using web = await webServer();
    await web.q.ok("enqueue", "seq 9000 | sed 's/^4321$/needle here/'", "--id", "long");
    await web.q.ok("worker", "--until-empty", "--quiet");
    await using open = await openPage(`${web.url}/jobs/long`);
    const { page } = open;
    await page.keyboard.press("/");
    await page.keyboard.type("NEEDLE");
    await page.keyboard.press("Enter");
    await page.locator("#found").getByRole("link", { name: "4321" }).click();
    await page.locator("#L4321:target").waitFor();
    expect(await page.locator("#L4321 .t").textContent()).toBe("needle here");
    // An old link to a line that is not on the page as it opens.
    await page.goto(`${web.url}/`);
    await page.goto(`${web.url}/jobs/long#L17`);
    await page.locator("#L17:target").waitFor();
    expect(open.complaints).toEqual([]);
  });

  test("the look at a job before it is enqueued passes axe", async () => {
    await using web = await webServer();
    await using open = await openPage(`${web.url}/enqueue`);
    const { page } = open;
    await page.getByLabel("Command").fill("rm \u202ecba");
    await page.getByRole("button", { name: "Look it over" }).click();
    await page.getByRole("heading", { name: "Enqueue this?" }).waitFor();
    await page.evaluate(axe.source);
    const { violations } = (await page.evaluate("axe.run(document)")) as axe.AxeResults;
    expect(violations.map(({ id }) => id)).toEqual([]);
  });

  test("a token is asked for, and opens what was asked for", async () => {
    await using web = await webServer({ words: ["--require-token"] });
    await using open = await openPage(`${web.url}/workers`);
    const { page } = open;
    expect(page.url()).toContain("/login?next=%2Fworkers");
    await page.getByLabel("Token").fill("wrong");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("That is not the token.").waitFor();
    await page.getByLabel("Token").fill(await web.q.ok("web", "token"));
    await page.getByRole("button", { name: "Log in" }).click();
    await page.waitForURL(`${web.url}/workers`);
    expect(open.complaints).toEqual([]);
  });

  test("a form that is sent after its session ended is sent again by loading the page, once one is logged in", async () => {
    await using web = await webServer({ words: ["--require-token"] });
    const token = await web.q.ok("web", "token");
    await using open = await openPage(`${web.url}/enqueue`);
    const { page, context } = open;
    async function logIn(where: typeof page) {
      await where.getByLabel("Token").fill(token);
      await where.getByRole("button", { name: "Log in" }).click();
    }
    await logIn(page);
    await page.getByLabel("Command").fill("echo typed");
    await context.clearCookies();
    await page.getByRole("button", { name: "Look it over" }).click();
    const tab = context.waitForEvent("page");
    await page.getByRole("link", { name: "log in" }).click();
    const login = await tab;
    await logIn(login);
    await login.locator(".cards").waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Enqueue this?" }).waitFor();
    expect(await page.locator(".command-block").textContent()).toBe("echo typed");
    expect(open.complaints).toEqual([]);
  });

  test("a session that ends while something is typed leaves it there until it is sent or taken back", async () => {
    await using web = await webServer({
      words: ["--require-token"],
      env: { QUEUECTL_REFRESH_INTERVAL: "0.5" },
    });
    await using open = await openPage(`${web.url}/jobs`);
    const { page, context } = open;
    await page.getByLabel("Token").fill(await web.q.ok("web", "token"));
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("searchbox").fill("half a wo");
    await context.clearCookies();
    await page.getByText("Logged out", { exact: true }).waitFor();
    expect(await page.getByRole("searchbox").inputValue()).toBe("half a wo");
    await page.getByRole("searchbox").fill("");
    await page.waitForURL(`${web.url}/login?next=%2Fjobs`);
    expect(open.complaints).toEqual([]);
  });

  test("a page of a server that was updated is loaded anew, unless something is typed in it", async () => {
    await using web = await webServer({ env: { QUEUECTL_REFRESH_INTERVAL: "0.5" } });
    await using open = await openPage(`${web.url}/jobs`);
    const { page } = open;
    await page.getByRole("searchbox").fill("half a wo");
    // As a page that was loaded from another build asks.
    const older = (headers: Record<string, string>) => ({ ...headers, "hx-ptag": "older.page" });
    await page.route("**/p/jobs", (route) => route.continue({ headers: older(route.request().headers()) }));
    await page.getByText("Updated: reload the page", { exact: true }).waitFor();
    expect(await page.getByRole("searchbox").inputValue()).toBe("half a wo");
    const loaded = page.waitForEvent("load");
    await page.getByRole("searchbox").fill("");
    await loaded;
    await page.unrouteAll({ behavior: "wait" });
    await page.reload();
    const before = await page.evaluate(() => performance.timeOrigin);
    for (let ticks = 0; ticks < 3; ticks++)
      await page.waitForResponse((response) => response.url().endsWith("/p/jobs") && response.status() < 400);
    expect(await page.evaluate(() => performance.timeOrigin)).toBe(before);
    expect(open.complaints).toEqual([]);
  });

  test("keys go where they say", async () => {
    await using web = await filled();
    await using open = await openPage(`${web.url}/`);
    const { page } = open;
    await page.keyboard.press("?");
    await page.getByRole("dialog").getByText("Keys").waitFor();
    await page.keyboard.press("Escape");
    // Every tab has its letter.
    const tabs = await page.locator("#nav a").evaluateAll((links) => links.map((link) => `${link}`));
    // The first is where it is now, so that nothing would say when it has come there.
    for (const [index, letter] of [..."jdwqcas"].entries()) {
      await page.keyboard.press("g");
      await page.keyboard.press(letter);
      await page.waitForURL(tabs[index + 1]!);
    }
    await page.keyboard.press("g");
    await page.keyboard.press("o");
    await page.waitForURL(tabs[0]!);
    await page.keyboard.press("g");
    await page.keyboard.press("d");
    await page.waitForURL(`${web.url}/dlq`);
    await page.keyboard.press("j");
    await page.keyboard.press("r");
    await page.getByText("Job dead-2 is back in its queue").waitFor();
    await page.keyboard.press("/");
    expect(await page.evaluate("document.activeElement.id")).toBe("q");
  });
});

describe.if(hasBrowser)("without scripts", () => {
  test("jobs are retried, deleted after a question, enqueued and filtered", async () => {
    await using web = await filled();
    await using open = await openPage(`${web.url}/dlq`, { scripts: false });
    const { page } = open;
    await page.getByRole("button", { name: "Retry: job dead-1" }).click();
    await page.getByText("Job dead-1 is back in its queue").waitFor();
    expect(await state(web, "dead-1")).toBe("pending");
    await page.getByRole("link", { name: "Delete job dead-2" }).click();
    await page.getByRole("button", { name: "Delete the job" }).click();
    await page.getByText("Job dead-2 is deleted").waitFor();
    await page.getByRole("link", { name: "New job" }).click();
    await page.getByLabel("Command").fill("echo plain");
    await page.getByRole("button", { name: "Look it over" }).click();
    await page.getByRole("button", { name: "Enqueue" }).click();
    await page.getByText("is in the queue").waitFor();
    await page.goto(`${web.url}/jobs?q=plain`);
    expect(await page.locator("tbody tr").count()).toBe(1);
    await page.getByLabel("all that match").check();
    await page.locator("#bulk-delete").click();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByText("1 job deleted").waitFor();
  });

  test("settings are changed, and a wrong value is refused beside it", async () => {
    await using web = await webServer();
    await using open = await openPage(`${web.url}/settings`, { scripts: false });
    const { page } = open;
    await page.getByLabel("max_retries", { exact: true }).fill("9");
    await page.getByRole("button", { name: "Save max_retries" }).click();
    await page.getByText("max_retries is now 9").waitFor();
    await page.getByLabel("priority", { exact: true }).fill("17");
    await page.getByRole("button", { name: "Save priority" }).click();
    expect(await page.getByRole("alert").textContent()).toContain("from 1 to 5");
    expect(await web.q.ok("config", "get", "max_retries")).toBe("9");
  });
});

describe.if(hasBrowser)("schedules", () => {
  test.each(["schedules", "alerts"])(
    "what is done with one of the %s is within reach, however long its command is",
    async (what) => {
      await using web = await webServer();
      await withSchedules(web);
      await web.q.ok("alert", "add", "long", "--on", "dead", "--command", `echo ${"x ".repeat(250)}`);
      await using open = await openPage(`${web.url}/${what}`);
      const isAllSeen = await open.page
        .locator(".sheet")
        .evaluate(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth);
      expect(isAllSeen).toBe(true);
    },
  );

  test("one is paused and resumed in place, and deleted after a question in a dialog", async () => {
    await using web = await filled();
    await withSchedules(web);
    await using open = await openPage(`${web.url}/schedules`);
    const { page } = open;
    const paused = async () => (await web.q.json("schedule", "show", "nightly")).paused;
    await page.getByRole("button", { name: "Pause nightly" }).click();
    await page.getByRole("button", { name: "Resume nightly" }).click();
    await waitUntil("it goes on", async () => !(await paused()));
    await page.getByRole("link", { name: "Delete nightly" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete the schedule" }).click();
    await waitUntil("it is gone", async () => (await web.q.json("schedule", "list")).length === 1);
    expect(new URL(page.url()).pathname).toBe("/schedules");
    expect(open.complaints).toEqual([]);
  });
});

describe.if(hasBrowser)("for everybody", () => {
  const paths = [
    "/",
    "/?span=month",
    "/jobs",
    "/jobs/done",
    "/jobs/retrying",
    "/jobs/colours",
    "/jobs/colours?attempt=1&find=red",
    "/dlq",
    "/workers",
    "/queues",
    "/schedules",
    "/schedules/new",
    "/alerts",
    "/alerts/nightly",
    "/alerts/new",
    "/confirm/delete-schedule/nightly",
    "/settings",
    "/enqueue",
    "/login",
    "/confirm/purge",
    "/confirm/jobs?do=delete&id=done",
    "/no-such-page",
  ];

  const wide = "w".repeat(64);

  const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  // Dark pages differ from light ones in nothing but colours.
  const looks = {
    light: [{}, rules],
    dark: [{ dark: true }, ["color-contrast"]],
    "on a phone": [{ phone: true }, rules],
  } as const;

  test.each(Object.keys(looks) as (keyof typeof looks)[])(
    "no page is wider than the window, and axe finds nothing on any, %s",
    async (look) => {
      await using web = await filled();
      await withSchedules(web);
      await web.q.ok(
        "enqueue",
        "x".repeat(3000),
        "--id",
        wide,
        "--tag",
        "t".repeat(64),
        "--queue",
        "q".repeat(64),
      );
      const [options, runOnly] = looks[look];
      await using open = await openPage(`${web.url}/`, options);
      const found: string[] = [];
      for (const path of [...paths, `/jobs/${wide}`]) {
        await open.page.goto(`${web.url}${path}`);
        const over = await open.page.evaluate(
          "document.documentElement.scrollWidth - document.documentElement.clientWidth",
        );
        if (over !== 0) found.push(`${path}: ${over} pixels too wide`);
        // The policy of our pages forbids to add a script element; evaluating it is a debugger's privilege.
        await open.page.evaluate(axe.source);
        const { violations } = (await open.page.evaluate(
          `axe.run(document, { runOnly: ${JSON.stringify(runOnly)} })`,
        )) as axe.AxeResults;
        for (const { id, nodes } of violations)
          found.push(`${path}: ${id}: ${nodes[0]!.html.slice(0, 160)} ${nodes[0]!.failureSummary ?? ""}`);
      }
      expect(found).toEqual([]);
      expect(open.complaints).toEqual([]);
    },
  );
});
