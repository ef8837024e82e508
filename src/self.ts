// queuectl about itself: its version, the environment it was really given, and how it starts itself again.

import { readFileSync } from "node:fs";
import packageJson from "../package.json" with { type: "json" };

export const version: string = packageJson.version;

/** The program and first words that start queuectl again, from source or as one binary. */
export const selfCommand = (): string[] =>
  Bun.isStandaloneExecutable ? [process.execPath] : [process.execPath, Bun.main];

export type Environment = Readonly<Record<string, string>>;

/**
 * The environment as the user gave it. Bun adds to its own view: `bun queuectl` puts `npm_*`, `NODE` and folders into it, and a
 * `.env` file of the working directory may too; none of that is a job's business. Linux keeps the original.
 */
export function ownEnvironment(): Environment {
  if (process.platform === "linux") return parseEnvironment(readFileSync("/proc/self/environ", "utf8"));
  const entries = Object.entries(process.env).filter(
    ([name]) => name !== "NODE" && !name.startsWith("npm_"),
  ) as [string, string][];
  const environment = Object.fromEntries(entries);
  if (process.env.npm_config_user_agent?.startsWith("bun/") && environment.PATH) {
    const folders = environment.PATH.split(":");
    environment.PATH = folders.filter((folder) => !folder.endsWith("/node_modules/.bin")).join(":");
  }
  return environment;
}

function parseEnvironment(text: string): Environment {
  const entries = text.split("\0").map((line): [string, string] => {
    const equals = line.indexOf("=");
    return [line.slice(0, equals), line.slice(equals + 1)];
  });
  return Object.fromEntries(entries.filter(([name]) => name !== ""));
}
