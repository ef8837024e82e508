// Whatever a job contains or prints stays text: on every page, in every part, and in the stream of its output.

import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import type { Attempt } from "../../src/domain/attempt.ts";
import type { Job } from "../../src/domain/job.ts";
import type { Schedule } from "../../src/domain/schedule.ts";
import { scopes } from "../../src/domain/scope.ts";
import { terminalReader } from "../../src/domain/terminal-text.ts";
import { formFields, type JobForm } from "../../src/input/job-form.ts";
import { type ScheduleForm, scheduleFields } from "../../src/input/schedule.ts";
import { eventText } from "../../src/web/streams.ts";
import { Confirm, type Question } from "../../views/confirm.tsx";
import { EnqueuePreview } from "../../views/enqueue-preview.tsx";
import { JobPage } from "../../views/job.tsx";
import { Jobs } from "../../views/jobs.tsx";
import { LogLines } from "../../views/parts/log.tsx";
import type { Ui } from "../../views/parts/ui.ts";
import { unseenCharacters } from "../../views/parts/visible-text.tsx";
import { ScheduleFormPage, SchedulePreview } from "../../views/schedule-form.tsx";
import { Schedules } from "../../views/schedules.tsx";
import { closeBrowser, hasBrowser, openPage } from "../support/browser.ts";
import { waitUntil } from "../support/wait-until.ts";
import { webServer } from "../support/web-server.ts";

setDefaultTimeout(90_000);
afterAll(closeBrowser);

const payloads = [
  "<script>alert(1)</script>",
  `"><img src=x onerror=alert(1)>`,
  `' onmouseover='alert(1)`,
  "</textarea></pre></title><b>out</b>",
  `<div hx-post=/enqueue hx-vals='{"command":"id"}' hx-trigger=load>`,
  `<a href="javascript:alert(1)">x</a>`,
  "&lt;b&gt; &amp; &#60;",
  "{{7*7}}`<%= 7 %>",
  "\u202ereversed\u202c",
  "<!--",
  "]]>",
  "js:alert(1)",
];

const hostile = fc.oneof(
  fc.constantFrom(...payloads),
  fc
    .array(
      fc.constantFrom(
        "<",
        ">",
        '"',
        "'",
        "&",
        "/",
        "=",
        " ",
        "a",
        "script",
        "hx-get",
        "\n",
        "\u0000",
        "\u202e",
        "`",
      ),
      { maxLength: 20 },
    )
    .map((parts) => parts.join("")),
  fc.string({ unit: "binary", maxLength: 30 }),
);

const ui: Ui = {
  nonce: "nonce",
  base: "",
  label: undefined,
  scopes: new Set(scopes),
  loggedIn: false,
  now: 0,
  path: "/jobs",
  query: new URLSearchParams(),
  refresh: 2,
  theme: "auto",
  notice: undefined,
};

const jobOf = (text: string, tag: string): Job => ({
  seq: 1,
  id: "one",
  command: text,
  state: "dead",
  attempts: 1,
  max_retries: 0,
  priority: 1,
  timeout: 0,
  queue: tag,
  tags: [tag],
  cwd: `/${text}`,
  env: { K: text },
  rules: { success_on: text, split: true },
  key: text,
  held: false,
  unmet: 0,
  run_at: 0,
  next_run_at: null,
  created_at: 0,
  updated_at: 0,
  started_at: 0,
  finished_at: 0,
  last_exit_code: 3,
  last_error: text,
  last_duration: 1,
  worker_id: tag,
});

const attemptOf = (text: string): Attempt => ({
  number: 1,
  result: "signalled",
  worker_id: text,
  host: text,
  pid: 1,
  started_at: 0,
  finished_at: 1,
  duration: 1,
  exit_code: null,
  signal: text,
  error: text,
  note: text,
  cpu_time: null,
  peak_memory: null,
  log_bytes: 0,
  log_truncated: false,
  log_left_out: 0,
});

const formOf = (text: string) =>
  Object.fromEntries(formFields.map((name) => [name, text])) as unknown as JobForm;

const stats = {
  pending: 0,
  processing: 0,
  completed: 0,
  failed: 0,
  dead: 1,
  cancelled: 0,
  total: 1,
  active_workers: 0,
  success_runs: 0,
  failed_runs: 1,
  success_rate: 0,
  avg_duration: null,
};
const paging = { older: undefined, isLater: false, shown: 1, total: 1 };

/** The elements of a markup, with their attributes' names, as a browser's own parser would build them. */
async function elements(markup: string): Promise<string[]> {
  const found: string[] = [];
  await new HTMLRewriter()
    .on("*", {
      element(element) {
        found.push([element.tagName, ...[...element.attributes].map(([name]) => name).sort()].join(" "));
      },
    })
    .transform(new Response(markup))
    .text();
  return found;
}

const questionOf = (text: string, title: string): Question => ({
  title,
  text: title,
  about: [text],
  to: "/jobs/act",
  fields: [["id", text]],
  choices: [{ word: "Delete", look: "danger" }],
  back: "/jobs",
  typed: undefined,
});

function views(text: string, tag: string): string {
  const job = jobOf(text, tag);
  const lines = terminalReader().read(`${text.replaceAll("\n", " ")}\n`);
  const log = {
    stream: "stderr" as const,
    attempt: 1,
    lines,
    first: 1,
    from: 0,
    to: 1,
    size: 1,
    isLive: false,
    gap: { from: 10, to: 2_000_000 },
    isCut: true,
    isGone: false,
    search: { text: text || "x", hits: [{ number: 1, text }], to: 1, size: 2 },
  };
  const texts = {
    ...Object.fromEntries(scheduleFields.map((name) => [name, text])),
    missed: "one",
    overlap: "skip",
  } as unknown as ScheduleForm;
  const schedule: Schedule = {
    name: tag,
    cron: text,
    tz: "UTC",
    missed: "one",
    overlap: "skip",
    jitter: 0,
    job,
    next_at: 0,
    paused: false,
    last_at: 0,
    missed_at: 1,
    skipped_at: 1,
    created_at: 0,
    updated_at: 0,
    last_job: job,
  };
  return [
    JobPage({
      ui,
      job,
      attempts: [attemptOf(text)],
      log,
      enqueuedBy: text,
      relatives: {
        after: [{ ...job, if_fails: "cancel", waits: true }],
        before: [job],
      },
      origin: { schedule: text, at: null },
    }),
    Schedules({ ui, schedules: [schedule], paging: { next: text, isLater: true, total: 2 } }),
    ScheduleFormPage({
      ui,
      form: texts,
      defaults: { priority: text, max_retries: text, timeout: text, cwd: text, tz: text },
      fault: text,
    }),
    SchedulePreview({ ui, form: texts, schedule, times: [0], user: text }),
    EnqueuePreview({
      ui,
      sending: { form: formOf(text), once: text, like: text },
      job: { ...job, after: [] },
      user: text,
    }),
    Jobs({ ui, jobs: [job], filter: { search: text, queue: tag, tag }, stats, queues: [tag], paging }),
    Confirm({ ui, question: questionOf(text, text) }),
  ].join("");
}

describe("hostile text (D12)", () => {
  test("adds no element and no attribute to any page, wherever it stands", async () => {
    // A character that cannot be seen is marked and asked about, an empty line of output has no text, and options that say nothing
    // are folded.
    const plain = new Set([
      ...(await elements(views("plain", "plain"))),
      ...(await elements(views("\u202e", "plain"))),
    ]);
    plain.add("span class");
    plain.add("details class id");
    await fc.assert(
      fc.asyncProperty(hostile, hostile, async (text, tag) => {
        for (const element of await elements(views(text, tag))) expect(plain).toContain(element);
      }),
      { numRuns: 500 },
    );
  });

  test("a command reads on no page as another one than it is", () => {
    const command = "echo \u202ecba";
    const job = { ...jobOf("plain", "plain"), command };
    const pages = [
      Jobs({ ui, jobs: [job], filter: {}, stats, queues: [], paging }),
      Confirm({ ui, question: questionOf(command, "Delete it?") }),
    ];
    for (const page of pages) {
      const text = String(page).replace(/<[^>]*>/g, "|");
      expect(text).toContain("U+202E");
      expect(text).not.toContain("\u202e");
    }
  });

  test("every character that cannot be seen is named, and a line's end or a tab is none", () => {
    const unseen = [
      0, 7, 0x1b, 0x7f, 0x85, 0xad, 0x61c, 0x180e, 0x200b, 0x200f, 0x2028, 0x2029, 0x202a, 0x202e,
    ];
    for (const code of [...unseen, 0x2060, 0x2066, 0x2069, 0x206f, 0xfeff])
      expect(unseenCharacters(`a${String.fromCharCode(code)}b`)).toEqual([
        `U+${code.toString(16).toUpperCase().padStart(4, "0")}`,
      ]);
    expect(unseenCharacters("a\tb\r\nc\nd é 😀")).toEqual([]);
    expect(unseenCharacters("a\rb")).toEqual(["U+000D"]);
  });

  test("a line of output is made of our own markup alone", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const reader = terminalReader();
        const lines = [...reader.read(new TextDecoder().decode(bytes)), reader.rest()];
        const markup = String(LogLines({ lines, first: 1 }));
        const rest = markup
          .replace(
            /<div class="line" id="L\d+"><a class="n" href="#L\d+" tabindex="-1">\d+<\/a><span class="t">|<\/span><\/div>/g,
            "",
          )
          .replace(/<span(?: class="[a-z0-9 -]+")?>|<\/span>/g, "");
        expect(rest).toMatch(/^[^<>]*$/);
      }),
      { numRuns: 3000 },
    );
  });

  test("output cannot end an event of its stream or begin another", () => {
    fc.assert(
      fc.property(
        fc
          .array(fc.constantFrom("\n", "\r", "\r\n", "event: done", "id: 9", ":", "data: x", " "))
          .map((parts) => parts.join("")),
        (data) => {
          const lines = eventText({ id: "1:1", data }).split(/\r\n|\r|\n/);
          expect(lines.slice(-2)).toEqual(["", ""]);
          expect(lines.slice(1, -2).every((line) => line.startsWith("data: "))).toBe(true);
        },
      ),
    );
  });

  test.if(hasBrowser)("does nothing in a browser, printed, enqueued and searched for", async () => {
    await using web = await webServer();
    for (const [n, payload] of payloads.entries()) {
      await web.api("POST", "/jobs", {
        command: `printf '%s\\n' "$P" >&2; exit 1 # ${payload.replaceAll("\n", " ")}`,
        id: `bad-${n}`,
        env: { P: payload },
        max_retries: 0,
      });
    }
    await web.q.ok("worker", "--until-empty");
    await using open = await openPage(`${web.url}/`);
    open.page.on("dialog", (dialog) => {
      open.complaints.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    const pages = [
      "/",
      "/jobs",
      "/dlq",
      "/confirm/purge",
      ...payloads.map((_, n) => `/jobs/bad-${n}`),
      ...payloads.map((text) => `/jobs?q=${encodeURIComponent(text)}`),
      ...payloads.map((_, n) => `/confirm/delete/bad-${n}`),
    ];
    for (const path of pages) await open.page.goto(`${web.url}${path}`);
    await open.page.goto(`${web.url}/jobs/bad-0`);
    expect(await open.page.locator("#L1 .t").textContent()).toBe(payloads[0]!);
    expect((await web.q.json("status")).total).toBe(payloads.length);
    expect(open.complaints).toEqual([]);
  });

  test.if(hasBrowser)(
    "markup that somebody injected all the same cannot use htmx: it does not know the nonce",
    async () => {
      await using web = await webServer();
      await using open = await openPage(`${web.url}/jobs`);
      await open.page.evaluate(`(() => {
      const evil = document.createElement("button");
      evil.id = "evil";
      evil.setAttribute("hx-post", "/dlq/purge");
      evil.setAttribute("hx-trigger", "load, click");
      document.getElementById("main").append(evil);
      htmx.process(document.getElementById("main"));
    })()`);
      await open.page.locator("#evil").click();
      await waitUntil(
        "it was stripped",
        async () => (await open.page.locator("#evil").getAttribute("hx-post")) === null,
      );
    },
  );
});
