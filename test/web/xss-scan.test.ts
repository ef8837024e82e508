// The scan for text that is put into markup as it is: it must find it, or its silence means nothing.

import { expect, setDefaultTimeout, test } from "bun:test";
import { join, resolve } from "node:path";
import { tempFolder } from "../support/temp-home.ts";

setDefaultTimeout(120_000);

const root = resolve(import.meta.dir, "../..");
/** The package script in the checkout, or the program behind it in another project. */
const scan = (project?: string) =>
  project === undefined
    ? Bun.spawnSync([process.execPath, "run", "xss-scan"], { cwd: root })
    : Bun.spawnSync([process.execPath, join(root, "node_modules/.bin/xss-scan")], { cwd: project });

test("the views and routes pass the scan", () => {
  const { exitCode, stdout } = scan();
  expect(stdout.toString()).toContain("No XSS vulnerabilities found");
  expect(exitCode).toBe(0);
});

test("a view that puts a text into markup as it is fails it", async () => {
  using folder = tempFolder();
  await Bun.write(
    join(folder.path, "bad.tsx"),
    "export const Bad = ({ text }: { text: string }) => <p>{text}</p>;\n",
  );
  const config = {
    extends: join(root, "tsconfig.json"),
    compilerOptions: { typeRoots: [join(root, "node_modules/@types")] },
    include: ["bad.tsx"],
  };
  await Bun.write(join(folder.path, "tsconfig.json"), JSON.stringify(config));
  await Bun.$`ln -s ${join(root, "node_modules")} ${join(folder.path, "node_modules")}`.quiet();
  const { exitCode, stdout, stderr } = scan(folder.path);
  expect(`${stdout}${stderr}`).toContain("K601");
  expect(exitCode).not.toBe(0);
});
