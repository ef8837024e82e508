// queuectl about itself: the environment it was really given, and how it starts itself again.

import { readFileSync } from "node:fs";

/** The program and first words that start queuectl again, from source with the same options of Bun, or as one binary. */
export const selfCommand = (): string[] =>
  Bun.isStandaloneExecutable ? [process.execPath] : [process.execPath, ...process.execArgv, Bun.main];

export type Environment = Readonly<Record<string, string>>;

/**
 * The environment as the user gave it. What `npx`, `bunx` and, in its own view, `bun queuectl` add to it, `npm_*`, `NODE` and
 * folders, is none of a job's business, nor is a `.env` file of the working directory. Linux keeps the original of Bun's view.
 */
export function ownEnvironment(): Environment {
  if (process.platform === "linux") {
    const environment = parseEnvironment(readFileSync("/proc/self/environ", "utf8"));
    return isOfRunner(environment) ? withoutRunner(environment) : environment;
  }
  const environment = process.env as Environment;
  const isOfBun = environment.npm_config_user_agent?.startsWith("bun/") ?? false;
  return isOfBun || isOfRunner(environment) ? withoutRunner(environment) : { ...environment };
}

const isOfRunner = ({ npm_lifecycle_event: event }: Environment) => event === "npx" || event === "bunx";

function withoutRunner(environment: Environment): Environment {
  const added = (name: string) => name.startsWith("npm_") || ["NODE", "INIT_CWD", "COLOR"].includes(name);
  const folders = environment.PATH?.split(":").filter((folder) => !/\/(\.bin|node-gyp-bin)$/.test(folder));
  return {
    ...Object.fromEntries(Object.entries(environment).filter(([name]) => !added(name))),
    ...(folders && { PATH: folders.join(":") }),
  };
}

function parseEnvironment(text: string): Environment {
  const entries = text.split("\0").map((line): [string, string] => {
    const equals = line.indexOf("=");
    return [line.slice(0, equals), line.slice(equals + 1)];
  });
  return Object.fromEntries(entries.filter(([name]) => name !== ""));
}
