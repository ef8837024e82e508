// Output in the dashboard: windows on logs of any size, and streams that go on where they broke off.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { writeGap } from "../../src/gap.ts";
import { jobLogPath } from "../../src/home.ts";
import { openFileLog, openJobLog } from "../../src/store/logs.ts";
import { findInLog, type Hit } from "../../src/web/log-search.ts";
import { type LogWindow, readWindow, type WindowWish } from "../../src/web/log-window.ts";
import { openFiles } from "../support/descriptors.ts";
import { noPostgres } from "../support/postgres-server.ts";
import { runningJob } from "../support/sample-jobs.ts";
import { tempFolder } from "../support/temp-home.ts";
import { postgres } from "../support/temp-postgres.ts";
import { tempStore } from "../support/temp-store.ts";
import { waitUntil } from "../support/wait-until.ts";
import { webServer } from "../support/web-server.ts";

setDefaultTimeout(180_000);

const texts = ({ lines }: LogWindow) => lines.map((line) => line.map(({ text }) => text).join(""));

async function windowOf(path: string, wish: WindowWish): Promise<LogWindow> {
  using log = openFileLog(path);
  return await readWindow(log, wish);
}

async function findIn(path: string, text: string, from: number) {
  using log = openFileLog(path);
  return await findInLog(log, text, from);
}

const numbered = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, n) => `line ${from + n}`);

describe("a window on a log", () => {
  test("is its last thousand lines, with their numbers", async () => {
    using folder = tempFolder();
    const path = join(folder.path, "log");
    writeFileSync(path, `${numbered(1, 5000).join("\n")}\n`);
    const window = await windowOf(path, { rest: true });
    expect([window.first, texts(window).length, texts(window).at(-1)]).toEqual([4001, 1000, "line 5000"]);
    const earlier = await windowOf(path, { to: window.from, rest: true });
    expect([earlier.first, texts(earlier).at(-1)]).toEqual([3001, "line 4000"]);
    const first = await windowOf(path, { from: 0, rest: true });
    expect([first.first, texts(first)[0], texts(first).at(-1)]).toEqual([1, "line 1", "line 1000"]);
    const later = await windowOf(path, { from: first.to, rest: true });
    expect([later.first, texts(later)[0]]).toEqual([1001, "line 1001"]);
  });

  test("walked from the front or from the back holds every line once", async () => {
    using folder = tempFolder();
    const path = join(folder.path, "log");
    const all = numbered(1, 12_345);
    writeFileSync(path, all.join("\n"));
    const forward: string[] = [];
    for (let from = 0; ; ) {
      const window = await windowOf(path, { from, rest: true });
      if (window.lines.length === 0) break;
      expect(window.first).toBe(forward.length + 1);
      forward.push(...texts(window));
      from = window.to;
    }
    expect(forward).toEqual(all);
    const backward: string[] = [];
    for (let to: number | undefined; ; ) {
      const window = await windowOf(path, { to, rest: true });
      backward.unshift(...texts(window));
      if (window.from === 0) break;
      to = window.from;
    }
    expect(backward).toEqual(all);
  });

  test("of a log that is written ends with a whole line, unless the rest is wanted", async () => {
    using folder = tempFolder();
    const path = join(folder.path, "log");
    writeFileSync(path, "whole\nhal");
    expect(texts(await windowOf(path, { rest: false }))).toEqual(["whole"]);
    expect(texts(await windowOf(path, { rest: true }))).toEqual(["whole", "hal"]);
    expect(await windowOf(join(folder.path, "none"), { rest: true })).toMatchObject({ lines: [], size: 0 });
  });

  test("of 100 MB is as good as any, and its line numbers are right", async () => {
    using folder = tempFolder();
    const path = join(folder.path, "log");
    const line = `${"x".repeat(99)}\n`;
    writeFileSync(path, line.repeat(1_000_000));
    const began = performance.now();
    const window = await windowOf(path, { rest: true });
    expect(window.first + window.lines.length - 1).toBe(1_000_000);
    expect((await windowOf(path, { to: window.from, rest: true })).first + 1000).toBe(window.first);
    expect(performance.now() - began).toBeLessThan(5000);
    const again = performance.now();
    await windowOf(path, { rest: true });
    expect(performance.now() - again).toBeLessThan(250);
  });

  test.skipIf(noPostgres !== undefined)("of 100 MB in PostgreSQL is as good as one in a file", async () => {
    await using temp = await tempStore(postgres);
    const { lease, job } = await runningJob(temp.store);
    const lines = Buffer.from(`${"x".repeat(99)}\n`.repeat(2500));
    for (let start = 0; start < 400 * lines.length; start += lines.length)
      await temp.store.output!.append(lease, { stream: "stdout", start, bytes: lines });
    using log = openJobLog({ store: temp.store, home: "/nowhere" }, job.seq, 1)!;
    const window = await readWindow(log, { rest: true });
    expect(window.first + window.lines.length - 1).toBe(1_000_000);
    expect((await readWindow(log, { to: window.from, rest: true })).first + 1000).toBe(window.first);
    expect((await readWindow(log, { line: 700_000, rest: true })).first).toBe(699_990);
    const found = await findInLog(log, "y", 0);
    expect([found.hits.length, found.to < found.size / 2, found.size]).toEqual([0, true, 100_000_000]);
  });

  test("shows one endless line in pieces, and bytes that are no text as such", async () => {
    using folder = tempFolder();
    const path = join(folder.path, "log");
    writeFileSync(path, "y".repeat(3_000_000));
    expect((await windowOf(path, { rest: true })).lines.length).toBe(1);
    writeFileSync(path, Buffer.from([0xff, 0xfe, 0x61, 0x0a]));
    expect(texts(await windowOf(path, { rest: true }))).toEqual(["\ufffd\ufffda"]);
  });
});

/** Numbered lines of which 1001 to 9000 were left out, cut in the midst of lines on both sides. */
function withGap(path: string) {
  const all = numbered(1, 10_000).join("\n");
  const from = all.indexOf("line 1001\n") + 3;
  const to = all.indexOf("line 9000\n") + 6;
  writeFileSync(path, all.slice(0, from) + all.slice(to));
  writeGap(path, { from, to, at: from });
  return { from, to, size: all.length };
}

describe("a log of which some was left out", () => {
  test("is shown window by window, each on one side of the gap, and its lines are counted without it", async () => {
    using folder = tempFolder();
    const path = join(folder.path, "1-1.log");
    const { from, to, size } = withGap(path);
    const last = await windowOf(path, { rest: true });
    expect([last.gap, last.to, texts(last).at(-1)]).toEqual([{ from, to }, size, "line 10000"]);
    const behind = await windowOf(path, { to: last.from, rest: true });
    expect([behind.from, texts(behind)]).toEqual([to, ["000"]]);
    const before = await windowOf(path, { to: behind.from, rest: true });
    expect([before.to, before.first, texts(before).at(-1)]).toEqual([from, 2, "lin"]);
    // 1000 lines, the beginning of one, and then the end of another.
    expect([before.first + before.lines.length, behind.first, last.first]).toEqual([1002, 1002, 1003]);
    const onwards = await windowOf(path, { from: before.to, rest: true });
    expect([onwards.from, onwards.first, texts(onwards)[0]]).toEqual([to, 1002, "000"]);
    const line = await windowOf(path, { line: 1500, rest: true });
    expect([line.first, texts(line)[10]]).toEqual([1490, "line 9498"]);
  });

  test("is looked through on both sides of the gap", async () => {
    using folder = tempFolder();
    const path = join(folder.path, "1-1.log");
    const { size } = withGap(path);
    const first = await findIn(path, "line 9", 0);
    expect(first.hits[0]).toEqual({ number: 9, text: "line 9" });
    const both = await findIn(path, "7", 0);
    const page = await findIn(path, "999", 0);
    expect(page.hits.map(({ number, text }) => `${number} ${text}`)).toEqual([
      "999 line 999",
      ...Array.from({ length: 10 }, (_, n) => `${1992 + n} line ${9990 + n}`),
    ]);
    expect([page.to, both.hits.length]).toEqual([size, 100]);
    const window = await windowOf(path, { line: page.hits.at(-1)!.number, rest: true });
    expect(texts(window)[10]).toBe("line 9999");
  });

  test("says so where it was in the page, in the stream, and in a header of the raw log", async () => {
    await using web = await webServer();
    await web.q.ok("config", "set", "log_limit", "4KiB");
    await web.q.ok("run", "seq 100000", "--id", "one");
    const page = async (query: string) => (await web.get(`/jobs/one?attempt=1${query}`)).text();
    const note = '<p class="left-out" role="note">571.1 KiB left out here';
    const all = numbered(1, 100_000).join("\n").replaceAll("line ", "");
    const last = await page("");
    expect([last.includes(note), last.includes("4 KiB of 575.1 KiB"), last.includes(">100000<")]).toEqual([
      true,
      true,
      true,
    ]);
    const earlier = /<a href="([^"]*)">Earlier/.exec(last)![1]!.replaceAll("&amp;", "&");
    const before = await (await web.get(earlier)).text();
    expect([before.includes(note), before.includes(">1<"), before.includes(">100000<")]).toEqual([
      true,
      true,
      false,
    ]);
    const stream = await (await web.get("/jobs/one/log/stream?attempt=1&from=0&line=1")).text();
    expect(stream.split("571.1 KiB left out here")).toHaveLength(2);
    const raw = await web.get("/api/v1/jobs/one/attempts/1/log");
    expect(raw.headers.get("queuectl-left-out")).toBe(`bytes=${all.length + 1 - 4096}; after=2048`);
    expect(await raw.text()).toBe(all.slice(0, 2048) + `${all}\n`.slice(-2048));
    const part = await web.get("/jobs/one/log?attempt=1", { range: "bytes=2040-" });
    expect([part.headers.get("content-range"), await part.text()]).toEqual([
      "bytes 2040-4095/4096",
      all.slice(2040, 2048) + `${all}\n`.slice(-2048),
    ]);
    const job = (await (await web.api("GET", "/jobs/one")).json()) as { attempts_history: object[] };
    expect(job.attempts_history[0]).toMatchObject({
      log_bytes: 4096,
      log_truncated: true,
      log_left_out: all.length + 1 - 4096,
    });
  });

  test("that is flooded is followed to its end, told of what was too fast", async () => {
    await using web = await webServer();
    await web.q.ok("config", "set", "log_limit", "64KiB");
    const go = `${web.q.folder}/go`;
    await web.q.ok(
      "enqueue",
      `seq 2000000; until [ -e ${go} ]; do sleep 0.05; done; echo the end`,
      "--id",
      "one",
    );
    web.q.start("worker", "--quiet");
    await waitUntil("it runs", async () => (await web.q.json("show", "one")).state === "processing");
    const stream = await web.get("/jobs/one/log/stream?attempt=1");
    writeFileSync(go, "");
    const events = parse(await stream.text());
    const markup = events.map(({ data }) => data).join("\n");
    expect(markup).toContain('class="left-out"');
    expect([markup.includes(">1<"), markup.includes(">the end<"), events.at(-1)!.event]).toEqual([
      true,
      true,
      "done",
    ]);
    const ids = [...markup.matchAll(/id="L(\d+)"/g)].map(([, n]) => Number(n));
    expect(ids).toEqual(Array.from({ length: ids.length }, (_, n) => n + 1));
  });
});

interface Heard {
  readonly event: string;
  readonly id: string;
  readonly data: string;
}

const parse = (text: string): Heard[] =>
  text
    .split("\n\n")
    .filter((block) => /^(data|event|id):/m.test(block))
    .map((block) => {
      const field = (name: string) =>
        [...block.matchAll(new RegExp(`^${name}: (.*)$`, "gm"))].map(([, value]) => value!).join("\n");
      return { event: field("event"), id: field("id"), data: field("data") };
    });

test("a log that somebody removed is said to be gone, and one without a word to be that", async () => {
  await using web = await webServer();
  await web.q.ok("enqueue", "echo said", "--id", "talks");
  await web.q.ok("enqueue", "true", "--id", "silent");
  await web.q.ok("worker", "--until-empty");
  rmSync(jobLogPath(web.q.home, 1, 1));
  expect(await (await web.get("/jobs/talks")).text()).toContain("Its log is gone.");
  expect(await (await web.get("/jobs/silent")).text()).toContain("It printed nothing.");
});

describe("looking for a text", () => {
  async function findAll(path: string, text: string): Promise<{ hits: Hit[]; pages: number }> {
    const hits: Hit[] = [];
    for (let from = 0, pages = 1; ; pages++) {
      const found = await findIn(path, text, from);
      hits.push(...found.hits);
      if (found.to === found.size) return { hits, pages };
      expect(found.to).toBeGreaterThan(from);
      from = found.to;
    }
  }

  test("finds each line with it once, by its number, in letters of either case and whatever their colours", async () => {
    using folder = tempFolder();
    const path = join(folder.path, "log");
    const lines = numbered(1, 3000).map((line, n) =>
      n % 7 === 0 ? `${line} \u001b[31mNeed\u001b[0mle needle` : line,
    );
    writeFileSync(path, lines.join("\n"));
    const { hits, pages } = await findAll(path, "nEEDLe");
    expect(hits.map(({ number }) => number)).toEqual(
      lines.flatMap((line, n) => (line.includes("needle") ? [n + 1] : [])),
    );
    expect(hits[0]!.text).toBe("line 1 Needle needle");
    expect(pages).toBeGreaterThan(1);
  });

  test("looks through a bounded part of 100 MB at a time, and finds what is at its end", async () => {
    using folder = tempFolder();
    const path = join(folder.path, "log");
    const line = `${"x".repeat(99)}\n`;
    writeFileSync(path, `${line.repeat(1_048_576)}the end\n`);
    const first = await findIn(path, "end", 0);
    expect([first.hits.length, first.to < first.size / 2]).toEqual([0, true]);
    const { hits } = await findAll(path, "end");
    expect(hits).toEqual([{ number: 1_048_577, text: "the end" }]);
    const window = await windowOf(path, { line: 1_048_577, rest: true });
    expect([window.first, texts(window).at(-1)]).toEqual([1_048_567, "the end"]);
  });

  test("works without scripts: lines that are links to where they stand", async () => {
    await using web = await webServer();
    await web.q.ok("enqueue", "seq 5000 | sed 's/^4321$/<b>here/'", "--id", "one");
    await web.q.ok("worker", "--until-empty", "--quiet");
    const page = await (await web.get("/jobs/one?attempt=1&find=%3Cb%3Ehe")).text();
    const link = /<a class="n" href="([^"]*#L4321)"/.exec(page)![1]!.replaceAll("&amp;", "&");
    expect(page).toContain("<mark>&lt;b&gt;he</mark>");
    const there = await (await web.get(link.split("#")[0]!)).text();
    expect(there).toContain('id="L4321"');
    expect(await (await web.get("/jobs/one?attempt=1&find=nothing-like-it")).text()).toContain(
      "No line with",
    );
  });

  test("is not repeated by the page's refresh", async () => {
    await using web = await webServer();
    await web.q.ok("enqueue", "echo hello", "--id", "one");
    await web.q.ok("worker", "--until-empty", "--quiet");
    const page = await (await web.get("/jobs/one?attempt=1&find=hello")).text();
    expect(/hx-get="(\/p\/jobs\/one[^"]*)"/.exec(page)?.[1]).toBe("/p/jobs/one?attempt=1");
  });
});

describe("a stream", () => {
  test("goes on after the last event that arrived, with no line lost or doubled", async () => {
    await using web = await webServer();
    await web.q.ok("enqueue", "true", "--id", "one");
    await web.q.ok("worker", "--until-empty");
    const path = jobLogPath(web.q.home, 1, 1);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${numbered(1, 30_000).join("\n")}\n`);
    const whole = parse(await (await web.get("/jobs/one/log/stream?attempt=1&from=0&line=1")).text());
    const withLines = whole.filter(({ id }) => id !== "");
    expect(withLines.length).toBeGreaterThan(3);
    const linesOf = (events: readonly Heard[]) =>
      events.flatMap(({ data }) => [...data.matchAll(/id="L(\d+)"/g)].map(([, n]) => Number(n)));
    expect(linesOf(withLines)).toEqual(Array.from({ length: 30_000 }, (_, n) => n + 1));
    const rest = parse(
      await (
        await web.get("/jobs/one/log/stream?attempt=1&from=0&line=1", { "last-event-id": withLines[1]!.id })
      ).text(),
    );
    expect(linesOf([...withLines.slice(0, 2), ...rest])).toEqual(linesOf(withLines));
    expect(whole.at(-1)!.event).toBe("done");
  });

  test("of a job that runs says what stands in the last line, and ends with the attempt", async () => {
    await using web = await webServer();
    const go = `${web.q.folder}/go`;
    await web.q.ok(
      "enqueue",
      `printf 'half'; until [ -e ${go} ]; do sleep 0.05; done; echo ' whole'`,
      "--id",
      "one",
    );
    web.q.start("worker", "--quiet");
    await waitUntil("it runs", async () => (await web.q.json("show", "one")).state === "processing");
    const reader = (await web.get("/jobs/one/log/stream?attempt=1")).body!.getReader();
    let text = "";
    const heard = async (wanted: string) => {
      while (!text.includes(wanted)) text += new TextDecoder().decode((await reader.read()).value);
    };
    await heard('event: tail\ndata: "half"');
    await Bun.write(go, "");
    await heard("event: done");
    expect(text).toContain("half whole");
  });

  test("of what is not there is refused as a page is", async () => {
    await using web = await webServer();
    await web.q.ok("enqueue", "true", "--id", "one");
    expect((await web.get("/jobs/none/log/stream")).status).toBe(404);
    expect((await web.get("/jobs/one/log/stream")).status).toBe(404);
    expect((await web.get("/jobs/one/log/stream?attempt=x")).status).toBe(422);
    await web.q.ok("enqueue", "true", "--id", "run");
    await web.q.ok("worker", "--until-empty", "--quiet");
    for (const stream of ["bogus", "stderr"])
      expect((await web.get(`/jobs/run/log/stream?stream=${stream}`)).status).toBe(404);
  });

  test("is not begun for who wants the headers alone", async () => {
    await using web = await webServer();
    await web.q.ok("enqueue", "sleep 600", "--id", "one");
    web.q.start("worker", "--quiet");
    await waitUntil("it runs", async () => (await web.q.json("show", "one")).state === "processing");
    for (const path of ["/api/v1/events", "/jobs/one/log/stream"]) {
      const answer = await fetch(`${web.url}${path}`, {
        method: "HEAD",
        signal: AbortSignal.timeout(10_000),
      });
      expect([answer.status, answer.headers.get("content-type")]).toEqual([
        200,
        "text/event-stream; charset=utf-8",
      ]);
    }
  });
});

describe("hostile output", () => {
  const output =
    "<html><script>alert(1)</script>\n\u001b[31mred\u001b[0m \u001b]8;;javascript:alert(1)\u0007link\u001b]8;;\u0007\n" +
    "\u001b]0;title\u0007\u001bPdcs\u001b\\\u009b31m\u0007 \u202ereversed\u0000\n\n\nevent: done\ndata: x\n";

  async function hostile() {
    const web = await webServer();
    const file = join(web.q.folder, "hostile");
    writeFileSync(file, Buffer.concat([Buffer.from(output), Buffer.from([0xff, 0xfe, 0xc3, 0x28, 10])]));
    await web.q.ok("enqueue", `cat ${file}`, "--id", "one");
    await web.q.ok("worker", "--until-empty", "--quiet");
    return { web, file, [Symbol.asyncDispose]: () => web[Symbol.asyncDispose]() };
  }

  test("is text in its colours, on the page and in the stream, and steers nothing (D13)", async () => {
    await using made = await hostile();
    const page = await (await made.web.get("/jobs/one?attempt=1")).text();
    const stream = await (await made.web.get("/jobs/one/log/stream?attempt=1&from=0&line=1")).text();
    const shown = parse(stream);
    expect(shown.filter(({ event }) => event === "done")).toHaveLength(1);
    for (const text of [
      page.slice(page.indexOf('id="log-lines"')),
      shown.map(({ data }) => data).join("\n"),
    ]) {
      expect(text).toContain("&lt;script&gt;alert(1)");
      expect(text).toContain('<span class="f1">red');
      expect(text).toContain(">U+202E</span>");
      expect(text).not.toMatch(/javascript:|title|dcs|<script>|<html/);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be left
      expect(text).not.toMatch(/[\u0000-\u0008\u000e-\u001f\u0080-\u009f\u202e]/);
    }
  });

  test("as it is goes nowhere but into a file (D14)", async () => {
    await using made = await hostile();
    for (const path of ["/jobs/one/log?attempt=1", "/api/v1/jobs/one/attempts/1/log"]) {
      const raw = await made.web.get(path);
      expect(Buffer.from(await raw.arrayBuffer()).equals(readFileSync(made.file))).toBe(true);
      expect(Object.fromEntries(raw.headers)).toMatchObject({
        "content-type": "text/plain; charset=utf-8",
        "content-disposition": 'attachment; filename="one-1.log"',
        "content-security-policy": expect.stringContaining("sandbox"),
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
      });
    }
  });
});

test("a raw log that cannot be read to its end is closed all the same", async () => {
  await using web = await webServer();
  const { q } = web;
  await q.ok("run", "echo one", "--id", "job");
  const path = (await q.json("show", "job")).attempts_history[0].log;
  // Can be opened, and not be read, as a file on a failing disk.
  rmSync(path);
  mkdirSync(path);
  const before = openFiles(web.process.pid).size;
  for (let n = 0; n < 20; n++)
    await web.get("/jobs/job/log").then(
      (answer) => answer.text(),
      () => {},
    );
  await waitUntil("as few files are open as before", () => openFiles(web.process.pid).size < before + 10);
});
