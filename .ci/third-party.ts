// Prints what goes along with a program that is handed out: each package that stands in it, and Bun, with their licences. Which they
// are, the bundler says.

import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dir, "..");

/** What may be handed out in a program under the MIT licence, with its text beside it. Another one is to be read first. */
const accepted = [
  "MIT",
  "MIT-0",
  "BSD-0-Clause",
  "0BSD",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "ISC",
  "Apache-2.0",
];

/** Folders of the packages that `.ci/build` puts into a program. */
async function bundled(): Promise<string[]> {
  const { metafile } = await Bun.build({
    entrypoints: [join(root, "queuectl.ts")],
    target: "bun",
    minify: true,
    splitting: true,
    metafile: true,
    define: { "process.env.NODE_ENV": '"production"', QUEUECTL_COMMIT: '""' },
  });
  const folders = Object.keys(metafile!.inputs).flatMap(
    (path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(resolve(root, path))?.[0] ?? [],
  );
  return [...new Set(folders)].sort();
}

function entryOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  if (!accepted.includes(license))
    throw new Error(`${name} is under ${license}: read whether it may be handed out`);
  const texts = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
  if (texts.length === 0) throw new Error(`${name} has no text of its licence`);
  return [
    `${name} ${version} (${license})`,
    ...texts.sort().map((file) => readFileSync(join(folder, file), "utf8").trim()),
  ].join("\n\n");
}

const { optionalDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const bun = optionalDependencies["@oven/bun-linux-x64"];

const head = `The program queuectl contains the following, beside what is its own.

Bun ${bun} (MIT), which runs it, with JavaScriptCore of WebKit (LGPL-2) and other libraries. What they are, under which licences they
stand, and how a program is linked anew with another WebKit, is said in
https://github.com/oven-sh/bun/blob/bun-v${bun}/LICENSE.md, and their sources are in that repository.`;

const rule = `\n\n${"-".repeat(80)}\n\n`;
process.stdout.write(`${[head, ...(await bundled()).map(entryOf)].join(rule)}\n`);
