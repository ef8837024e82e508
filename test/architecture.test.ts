// The tree defends itself: imports point one way, names say what a file is about, and a plain enqueue loads nothing that it
// does not need. A new arrow or package is added to the tables here, with its reason, or it is a mistake.

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";

const root = resolve(import.meta.dir, "..");

/** Every source file, by its path from the root. */
const sources = ["queuectl.ts", ...new Bun.Glob("{src,views}/**/*.{ts,tsx}").scanSync(root)]
  .filter((path) => !path.endsWith(".d.ts"))
  .sort();

type Part =
  | "entry"
  | "cli"
  | "care"
  | "library"
  | "worker"
  | "web"
  | "runner"
  | "alerts"
  | "database"
  | "store opener"
  | "store"
  | "views"
  | "input"
  | "leaf"
  | "domain";

/** Which part a file belongs to: the first line that fits. */
const parts: readonly (readonly [RegExp, Part])[] = [
  [/^queuectl\.ts$/, "entry"],
  [/^src\/(index\.ts$|library\/)/, "library"],
  [/^src\/cli\//, "cli"],
  [/^src\/care\//, "care"],
  [/^src\/worker\//, "worker"],
  [/^src\/web\//, "web"],
  [/^src\/runner\//, "runner"],
  [/^src\/alerts\//, "alerts"],
  [/^src\/store\/(sqlite|postgres)\//, "database"],
  [/^src\/store\/open\.ts$/, "store opener"],
  [/^src\/store\//, "store"],
  [/^views\//, "views"],
  [/^src\/input\//, "input"],
  [/^src\/(self|home|log|gap|version)\.ts$/, "leaf"],
  [/^src\/domain\//, "domain"],
];

/** `queuectl.ts → cli → library → {worker, web} → {runner, store, views, input} → domain`, and leaves for all but the domain. */
const arrows: Readonly<Record<Part, readonly Part[]>> = {
  entry: ["cli"],
  library: ["worker", "web", "store opener", "store", "input", "leaf", "domain"],
  cli: [
    "library",
    "care",
    "worker",
    "web",
    "runner",
    "alerts",
    "store opener",
    "store",
    "input",
    "leaf",
    "domain",
  ],
  // Questions about the whole: they look at the files of a database and at processes.
  care: ["runner", "store opener", "database", "store", "leaf", "domain"],
  worker: ["runner", "alerts", "store", "input", "leaf", "domain"],
  web: ["runner", "alerts", "store", "views", "input", "leaf", "domain"],
  runner: ["leaf", "domain"],
  // Sends one message; a worker, a command and a page do so.
  alerts: ["runner", "leaf", "domain"],
  "store opener": ["database", "store", "leaf", "domain"],
  database: ["store", "leaf", "domain"],
  store: ["leaf", "domain"],
  views: ["leaf", "domain"],
  input: ["leaf", "domain"],
  // A refusal has one class, and it is the domain's.
  leaf: ["domain"],
  domain: [],
};

/** Single arrows against the table, each with its reason. Empty is best. */
const exceptions: readonly { from: string; to: string; reason: string }[] = [];

/** Which parts a package belongs to. */
const packages: Readonly<Record<string, readonly Part[]>> = {
  bun: ["library", "worker", "web", "store", "database"],
  "bun:sqlite": ["database"],
  // One call of the C library that Bun has no function for.
  "bun:ffi": ["runner"],
  cac: ["cli"],
  // The library knows an app by type only.
  elysia: ["web", "library"],
  "@kitajs/html": ["views", "web"],
  // Read as text, to be sent to browsers.
  "htmx.org": ["web"],
  "prom-client": ["web"],
  zod: ["input"],
  // Cron texts; a duty that has no schedule does not load it.
  croner: ["input"],
  nodemailer: ["alerts"],
  "jsonc-parser": ["input"],
};

/** Where `import()` or `require()` stands, and why. */
const deferredImports: Readonly<Record<string, string>> = {
  "src/cli/program.ts": "a command's file is loaded when it is called",
  "src/cli/dispatch.ts": "an enqueue of a plain command does without what reads all others",
  "src/cli/plain-enqueue.ts": "only who sits at a terminal is told that a worker is needed",
  "src/cli/command-line.ts": "help and the version are loaded for those who ask for them",
  "src/cli/context.ts": "where nothing is set, nothing is to be read",
  "src/cli/commands/enqueue.ts": "only a job in JSON needs zod",
  "src/cli/commands/edit.ts": "only an editor's text needs zod",
  "src/cli/commands/web.ts": "its options are known without what serves it",
  "src/store/open.ts": "only the database that is asked for is loaded",
  "src/store/sqlite/open.ts": "an enqueue does without what only workers and readers ask for",
  "src/store/rows.ts": "few jobs have rules",
  "src/store/sqlite/connection.ts": "trouble is put into words where there is some",
  "src/store/sqlite/enqueue.ts":
    "few jobs come after others, or have an id that is taken; and one is not stored in the way of many",
  "src/store/sqlite/jobs.ts": "an enqueue neither looks jobs up nor changes them",
  "src/store/sqlite/changes.ts": "few changes hold jobs back or make them others",
  "src/runner/punch.ts": "only what is longer than is kept has something taken out of its midst",
  "src/input/job-lines.ts": "lines that say only a command need no zod",
  "src/worker/scheduler.ts": "only who has schedules loads what reads their times",
  "src/library/queue.ts": "only who cancels what runs needs what can end a dead worker's commands",
  "src/alerts/send.ts": "only who sends something by one way loads what that needs",
  "src/care/backup.ts": "each database is copied in its own way, and only one is loaded",
};

interface Import {
  readonly from: string;
  /** A path from the root, or the name of a package or built-in module. */
  readonly to: string;
  /** Loaded when its place in the code is reached, not with the file. */
  readonly deferred: boolean;
}

/** JSX is rendered by what tsconfig.json names; the scanner does not read it and reports its own default. */
const jsxDefault = /^react(\/|$)/;

/** What a file imports when it runs, or, given `types`, also what it only knows by type. */
function importsOf(from: string, { types }: { types: boolean }): Import[] {
  const text = readFileSync(join(root, from), "utf8").replace(/^#!.*/, "");
  const scanned = types ? withoutTypeWords(text) : text;
  const transpiler = new Bun.Transpiler({ loader: from.endsWith("x") ? "tsx" : "ts" });
  return transpiler
    .scanImports(scanned)
    .filter(({ path }) => !jsxDefault.test(path))
    .map(({ path, kind }) => ({
      from,
      to: path.startsWith(".") ? relative(root, resolve(root, dirname(from), path)) : path,
      deferred: kind !== "import-statement",
    }));
}

/** The scanner leaves out what is imported as a type; an arrow is an arrow all the same. */
const withoutTypeWords = (text: string) =>
  text
    .replace(/^import type /gm, "import ")
    .replace(/^export type (?=[{*])/gm, "export ")
    .replace(/^(import|export) \{[^}]*\} from/gm, (clause) => clause.replace(/\btype /g, ""));

const allImports = sources.flatMap((path) => importsOf(path, { types: true }));

const partOf = (path: string) => parts.find(([pattern]) => pattern.test(path))?.[1];
const isOurs = (path: string) => partOf(path) !== undefined;
const packageOf = (name: string) =>
  name
    .split("/")
    .slice(0, name.startsWith("@") ? 2 : 1)
    .join("/");
const isBuiltIn = (name: string) => name.startsWith("node:");
const shown = ({ from, to }: Import) => `${from} → ${to}`;

/** A part of one folder may use itself, a leaf another leaf, and the opener is one file. */
const mayImport = (from: Part, to: Part) => from === to || arrows[from].includes(to);

test("every source file belongs to a part of the tree", () => {
  expect(sources.length).toBeGreaterThan(50);
  expect(sources.filter((path) => partOf(path) === undefined)).toEqual([]);
});

test("imports point one way", () => {
  const wrong = allImports
    .filter(({ from, to }) => isOurs(to) && !mayImport(partOf(from)!, partOf(to)!))
    .filter(({ from, to }) => !exceptions.some((one) => one.from === from && one.to === to))
    .map(shown);
  expect(wrong).toEqual([]);
});

test("an exception from the arrows is one that is still made", () => {
  const made = new Set(allImports.map(shown));
  expect(exceptions.filter(({ from, to }) => !made.has(`${from} → ${to}`))).toEqual([]);
});

test("one database does not know the other", () => {
  const databaseOf = (path: string) => /^src\/store\/(sqlite|postgres)\//.exec(path)?.[1];
  const wrong = allImports.filter(
    ({ from, to }) => databaseOf(from) && databaseOf(to) && databaseOf(from) !== databaseOf(to),
  );
  expect(wrong.map(shown)).toEqual([]);
});

test("the domain imports only the domain: no package, no part of the runtime", () => {
  const foreign = allImports.filter(({ from, to }) => partOf(from) === "domain" && partOf(to) !== "domain");
  expect(foreign.map(shown)).toEqual([]);
});

test("a package is used by the part that it is for, and by no other", () => {
  const wrong = allImports
    .filter(({ to }) => !to.includes(".sql") && !isOurs(to) && !isBuiltIn(to) && !isAsset(to))
    .filter(({ from, to }) => !packages[packageOf(to)]?.includes(partOf(from)!));
  expect(wrong.map(shown)).toEqual([]);
});

/** What is read as a text or a file: a statement in SQL, the name and version, a style sheet. */
function isAsset(path: string): boolean {
  return path === "package.json" || /^(src|views)\/.*\.(sql|css|js|svg|txt)$/.test(path);
}

test("import() and require() stand in few files, each for its reason", () => {
  const files = new Set(allImports.filter(({ deferred }) => deferred).map(({ from }) => from));
  const known = Object.keys(deferredImports);
  expect([...files].filter((path) => !known.includes(path))).toEqual([]);
  expect(known.filter((path) => sources.includes(path) && !files.has(path))).toEqual([]);
});

const plainEnqueue = ["queuectl.ts", "src/store/open.ts", "src/store/sqlite/open.ts"];
const enqueueEntries = [...plainEnqueue, "src/cli/command-line.ts", "src/cli/commands/enqueue.ts"];

test("an enqueue loads neither zod nor anything of the web", () => {
  const loaded = closureOf(enqueueEntries);
  expect(loaded).toContain("src/store/sqlite/enqueue.ts");
  expect(loaded).toContain("cac");
  const needless = [...loaded].filter((path) => {
    const part = partOf(path);
    if (part !== undefined) return ["web", "views", "worker", "runner", "input", "care"].includes(part);
    return !isBuiltIn(path) && !isAsset(path) && path !== "cac" && path !== "bun:sqlite";
  });
  expect(needless).toEqual([]);
});

test("nor what a store does for others than those who enqueue", () => {
  const files = [
    "lookup",
    "changes",
    "change-steps",
    "prune",
    "leases",
    "matching",
    "workers",
    "stats",
    "schedules",
    "alerts",
    "outbox",
    "watch",
    "bulk-enqueue",
  ];
  const loaded = closureOf(enqueueEntries);
  const needless = files
    .map((name) => `src/store/sqlite/${name}.ts`)
    .filter((path) => !sources.includes(path) || loaded.has(path));
  expect(needless).toEqual([]);
});

test("an enqueue of a plain command loads no package, nor what reads words, makes a schema or checks what was not said", () => {
  const loaded = [...closureOf(plainEnqueue)].filter((path) => path !== "bun:sqlite" && path !== "node:fs");
  expect(loaded).toContain("src/store/sqlite/enqueue.ts");
  expect(loaded.filter((path) => !isOurs(path))).toEqual([]);
  expect(loaded.length).toBeLessThan(24);
});

test("a program that opens a queue loads nothing of the command line, the web or what runs commands, and no package", () => {
  const loaded = closureOf(["src/index.ts", "src/store/sqlite/open.ts"]);
  expect(loaded).toContain("src/library/queue.ts");
  const needless = [...loaded].filter((path) => {
    const part = partOf(path);
    if (part !== undefined) return ["cli", "care", "web", "views", "runner", "input"].includes(part);
    return !isBuiltIn(path) && !isAsset(path) && path !== "bun:sqlite";
  });
  expect(needless).toEqual([]);
});

/** The files and packages that are loaded with these files. */
function closureOf(entries: readonly string[]): Set<string> {
  const loaded = new Set<string>();
  const waiting = [...entries];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (loaded.has(path)) continue;
    loaded.add(path);
    if (!isOurs(path) || isAsset(path)) continue;
    waiting.push(...importsOf(path, { types: false }).flatMap(({ to, deferred }) => (deferred ? [] : [to])));
  }
  return loaded;
}

test("a file with markup says itself what renders it, whatever the project that imports it says", () => {
  const pragma = "/** @jsxRuntime automatic @jsxImportSource @kitajs/html */";
  const views = sources.filter((path) => path.endsWith(".tsx"));
  expect(views.length).toBeGreaterThan(20);
  expect(views.filter((path) => !readFileSync(join(root, path), "utf8").includes(pragma))).toEqual([]);
});

test("a file is named after what it is about, in kebab-case", () => {
  const everywhere = new Bun.Glob("{src,views,test,bench,examples}/**/*.{ts,tsx,sh}").scanSync(root);
  const wrong = [...everywhere].filter((path) => {
    const name = basename(path).replace(/\..*$/, "");
    return (
      !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) ||
      /^(utils?|helpers?|common|misc|types?|interfaces?)$/.test(name)
    );
  });
  expect(wrong).toEqual([]);
});

test("the scanner sees what it has to see", () => {
  const seen = (from: string) => importsOf(from, { types: true }).map(({ to }) => to);
  expect(seen("src/store/store.ts")).toContain("src/domain/worker.ts");
  expect(seen("src/store/sqlite/open.ts")).toContain("bun:sqlite");
  expect(seen("src/cli/program.ts")).toContain("src/cli/commands/enqueue.ts");
});
