// What docs/dependencies.md says of packages is so, and what goes along with a program names all that is in it.

import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

// Bundles the program, on a shared machine.
setDefaultTimeout(120_000);

const root = resolve(import.meta.dir, "..");

const jsonOf = (path: string) => JSON.parse(readFileSync(join(root, path), "utf8"));
const own = jsonOf("package.json");
const text = readFileSync(join(root, "docs/dependencies.md"), "utf8");

/** Name and licence of each row of the table below a heading. */
function rowsBelow(heading: string): [name: string, licence: string][] {
  const part = text.split(`\n## ${heading}\n`)[1]!.split("\n## ")[0]!;
  return [...part.matchAll(/^\| `([^`]+)` +\| ([^|]+?) +\|/gm)].map(([, name, licence]) => [name!, licence!]);
}

/** Those of a machine that is not this one are not installed. */
const bunHere = Object.keys(own.optionalDependencies).find((name) =>
  name.endsWith(`-${process.platform}-${process.arch === "arm64" ? "aarch64" : process.arch}`),
);

test.each([
  ["What runs", [...Object.keys(own.dependencies), "@oven/bun-*"]],
  ["What only development needs", Object.keys(own.devDependencies)],
])("%s: every package and no other, with its licence", (heading, names) => {
  const rows = rowsBelow(heading);
  expect(rows.map(([name]) => name).toSorted()).toEqual(names.toSorted());
  const licences = rows.map(([name]) => {
    const folder = name === "@oven/bun-*" ? bunHere : name;
    return [name, jsonOf(`node_modules/${folder}/package.json`).license];
  });
  expect(licences).toEqual(rows);
});

test("all versions are exact", () => {
  const versions = { ...own.dependencies, ...own.optionalDependencies, ...own.devDependencies };
  expect(Object.values(versions).filter((version) => !/^\d+\.\d+\.\d+$/.test(String(version)))).toEqual([]);
});

test("what goes along with a program has the licence of Bun and of each package in it", () => {
  const { stdout, exitCode } = Bun.spawnSync([process.execPath, ".ci/third-party.ts"], { cwd: root });
  expect(exitCode).toBe(0);
  const parts = stdout.toString().split(`\n\n${"-".repeat(80)}\n\n`);
  expect(parts[0]).toContain(`Bun ${own.optionalDependencies["@oven/bun-linux-x64"]} (MIT)`);
  for (const [name, version] of Object.entries(own.dependencies)) {
    const part = parts.find((one) => one.startsWith(`${name} ${version} (`));
    expect({ name, text: part }).toMatchObject({
      name,
      text: expect.stringMatching(/Copyright|Permission/i),
    });
  }
  // What those bring.
  expect(parts.some((part) => part.startsWith("memoirist "))).toBe(true);
});
