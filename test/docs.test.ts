// The READMEs and docs/ are true: what they name is there, every line that calls queuectl is understood, and every transcript is
// replayed, at a terminal, by a user with an empty home. A transcript is a block of the kind `console`; output of another place or
// of hours stands in a block of the kind `text`. What a transcript needs beforehand stands in a comment right above it.

import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  anchorsOf,
  callsIn,
  callsOf,
  type Document,
  documents,
  linksOf,
  namedFiles,
  type Transcript,
  transcriptsOf,
} from "./support/documents.ts";
import { program } from "./support/program.ts";
import { queuectl } from "./support/queuectl.ts";
import { shell } from "./support/shell.ts";
import { programAtTerminal } from "./support/terminal.ts";
import { waitUntil } from "./support/wait-until.ts";
import { webServer } from "./support/web-server.ts";

// Calls the program many times on a shared machine: what never comes fails late rather than what comes slowly fails early.
setDefaultTimeout(120_000);

const root = resolve(import.meta.dir, "..");

async function call(words: readonly string[]) {
  const child = Bun.spawn([...program, ...words], { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  return { stderr: await child.stderr.text(), status: await child.exited };
}

for (const document of documents) {
  test(`${document.path}: every line that calls queuectl is understood`, async () => {
    const calls = new Map(callsOf(document).map((words) => [words.join("\0"), words]));
    const answers = await Promise.all(
      // Asking for help has the words read and nothing done; it stands first, as what follows -- is the command's own.
      [...calls.values()].map(async (words) => ({ words, ...(await call(["--help", ...words])) })),
    );
    const refused = answers
      .filter(({ status }) => status !== 0)
      .map(({ words, stderr }) => `queuectl ${words.join(" ")}: ${stderr.trim()}`);
    expect(refused).toEqual([]);
  });

  test(`${document.path}: every file that it names is there`, () => {
    const named = [...linksOf(document).map(({ path }) => path), ...namedFiles(document)];
    expect(named.filter((path) => !isThere(path))).toEqual([]);
  });

  test(`${document.path}: every heading that it points to is there`, () => {
    const lost = linksOf(document).filter(({ path, anchor }) => {
      const target = documents.find((other) => other.path === path);
      return anchor !== undefined && target !== undefined && !anchorsOf(target).includes(anchor);
    });
    expect(lost).toEqual([]);
  });

  transcriptsOf(document).forEach((transcript, index) => {
    test(`${document.path}: transcript ${index + 1} (${transcript.steps[0]?.typed}) is what is shown`, async () => {
      expect(await replay(transcript)).toEqual(told(transcript));
    });
  });
}

function isThere(path: string): boolean {
  if (!path.includes("*")) return existsSync(join(root, path));
  return !new Bun.Glob(path).scanSync({ cwd: root, dot: true }).next().done;
}

/** Each step of a transcript, beginning with what was typed, as the document tells it. */
const told = ({ steps }: Transcript): string[][] =>
  steps.map(({ typed, shown }) => [`$ ${typed}`, ...comparable(shown)]);

/** Printed between the steps, where no program prints it. */
const mark = "\x02";

/** The same, as it really comes. */
async function replay({ before, steps }: Transcript): Promise<string[][]> {
  await using q = queuectl();
  const env = { NO_COLOR: "1", QUEUECTL_HOME: join(q.folder, ".queuectl") };
  const script = [before || ":", ...steps.map(({ typed }) => typed)].join(`\nprintf '${mark}'\n`);
  const terminal = programAtTerminal(q, ["/bin/sh", "-c", script], { columns: 200, env });
  await terminal.exited();
  await q.with({ env }, "worker", "stop", "--force", "--wait");
  const texts = terminal.shown().replaceAll("\r\n", "\n").replaceAll(q.folder, "~").split(mark).slice(1);
  return steps.map(({ typed }, index) => [`$ ${typed}`, ...comparable(texts[index] ?? "(never came to it)")]);
}

/** What a progress bar ends with; only what comes behind it stays on its line. */
const erased = "\x1b[K";

/**
 * The lines of an output without what differs each time: generated ids, moments, how long something took, sizes, and the widths of
 * columns. Those of workers in any order, as two of them speak at once.
 */
function comparable(shown: string): string[] {
  const lines = shown
    .split("\n")
    .map((line) => without(line.split(erased).at(-1)!).trimEnd())
    .filter((line) => line !== "");
  const isOfWorker = (line: string) => line.includes("worker-…");
  return [...lines.filter((line) => !isOfWorker(line)), ...lines.filter(isOfWorker).sort()];
}

/** One line of it. */
const without = (line: string): string =>
  line
    .replace(/\bworker-[0-9a-hjkmnp-tv-z]{6}\b/g, "worker-…")
    .replace(/\b[0-9a-hjkmnp-tv-z]{10}\b/g, "…")
    .replace(/\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z| [+-]\d\d:\d\d)?)?/g, "…")
    .replace(/\b\d\d:\d\d:\d\d\b/g, "…")
    .replace(/(?<!retry in )\b\d+(?:\.\d+)? (?:ms|s)\b/g, "…")
    .replace(/\b\d+(?:\.\d+)? (?:B|KiB|MiB)\b/g, "…")
    .replace(/ +/g, " ");

test("a line that queuectl does not understand would be noticed", async () => {
  const [words] = callsIn("cat jobs | bun queuectl enqueue --fiel - && echo done");
  expect(words).toEqual(["enqueue", "--fiel", "-"]);
  expect(await call(["--help", ...words!])).toMatchObject({ status: 2 });
  expect(callsIn(`id=$(queuectl enqueue 'a "b"' --tag "x y") && queuectl wait "$id" # both`)).toEqual([
    ["enqueue", 'a "b"', "--tag", "x y"],
    ["wait", "$id"],
  ]);
  expect(callsIn("ExecStart=/usr/local/bin/queuectl worker --count 4")).toEqual([["worker", "--count", "4"]]);
});

test("a transcript that shows something else would be noticed", async () => {
  const showing = (shown: string): Document => ({
    path: "x.md",
    text: `<!-- before: echo hello > a -->\n\n\`\`\`console\n$ cat a\n${shown}\n$ queuectl run 'echo two'\ntwo\n\`\`\`\n`,
  });
  const [wrong, right] = ["good bye", "hello"].map((shown) => transcriptsOf(showing(shown))[0]!);
  const shown = await replay(right!);
  expect(shown).toEqual(told(right!));
  expect(shown).not.toEqual(told(wrong!));
});

test("a list that another program reads has all jobs in it", () => {
  const piped = documents.flatMap(({ text }) => text.match(/queuectl (?:dlq )?list[^|`)\n]*\|/g) ?? []);
  expect(piped.length).toBeGreaterThan(1);
  expect(piped.filter((one) => !one.includes("--limit 0"))).toEqual([]);
});

test("a night without a recording has no summary, and is no failure", async () => {
  const { text } = documents.find(({ path }) => path === "docs/recipes.md")!;
  const script = /```sh\n(ids=\$\(find new .*?)```/s.exec(text)![1]!;
  await using q = queuectl();
  mkdirSync(join(q.folder, "new"));
  expect(await shell(q, script)).toMatchObject({
    status: 0,
    stderr: "queuectl: the list is empty; no job is stored\n",
  });
  writeFileSync(join(q.folder, "new", "talk.wav"), "");
  expect(await shell(q, script)).toMatchObject({ status: 0 });
  expect(await q.json("status")).toMatchObject({ total: 2 });
});

test("the README leads to every document", () => {
  const readme = documents.find(({ path }) => path === "README.md")!;
  const reached = new Set(linksOf(readme).map(({ path }) => path));
  expect(documents.filter((one) => one !== readme && !reached.has(one.path)).map(({ path }) => path)).toEqual(
    [],
  );
});

test("every metric is documented, and no other", async () => {
  await using server = await webServer();
  const served = (await (await server.get("/metrics")).text()).matchAll(/^# TYPE (\S+)/gm);
  const tables = documents.flatMap(({ text }) => [...text.matchAll(/^\| `(queuectl_\w+)/gm)]);
  const names = (found: Iterable<RegExpMatchArray>) => [...found].map(([, name]) => name!).sort();
  expect(names(tables)).toEqual(names(served));
});

test("every request that docs/dashboard.md shows is answered", async () => {
  await using server = await webServer();
  server.q.start("worker");
  await server.q.ok("enqueue", "--id", "k3j9x", "sleep 60");
  await waitUntil("it runs", async () => (await server.q.json("show", "k3j9x")).state === "processing");
  const { text } = documents.find(({ path }) => path === "docs/dashboard.md")!;
  const script = /```sh\n(url=.*?)```/s.exec(text)![1]!.replace(/^url=.*$/m, `url=${server.url}/api/v1`);
  // Slack is not asked; and what streams goes on until it has been listened to for long enough.
  const asked = script.replace(/^.*\/deaths\/test$/m, "").replaceAll("curl ", "ask ");
  const ask = `ask() { curl --max-time 5 -o answer -w '%{http_code} %{url}\n' "$@"; }`;
  const { stdout } = await shell(server.q, `${ask}\n${asked}`);
  const answers = stdout.toString().trim().split("\n");
  expect(answers.length).toBe(asked.match(/^ask /gm)!.length);
  expect(answers.filter((answer) => !answer.startsWith("20"))).toEqual([]);
});
