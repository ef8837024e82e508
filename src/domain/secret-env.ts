// Variables of a command whose values are stored nowhere: `NAME` is taken from the environment of the worker that runs it, and
// `NAME=@/path` is what stands in a file then.

import { misuse } from "./errors.ts";

export interface SecretVariable {
  readonly name: string;
  /** Absolute; undefined: from the worker's environment. */
  readonly path: string | undefined;
}

const secretForms = "NAME, or NAME=@/path of a file";

const form = /^([A-Za-z_][A-Za-z0-9_]*)(?:=@(\/[^\0\p{Cs}]*))?$/su;

const mostSecrets = 64;
const longestPath = 4096;

/** One as it is written; refuses what is none. */
export function readSecret(text: unknown): SecretVariable {
  const [, name, path] = (typeof text === "string" && form.exec(text)) || [];
  if (name === undefined || (path?.length ?? 0) > longestPath) {
    // Whatever stands behind the = may be the secret itself.
    const shown = typeof text === "string" ? text.replace(/=.*/s, "=…").slice(0, 60) : typeof text;
    throw misuse(`secret_env cannot have ${JSON.stringify(shown)}: it is ${secretForms}`);
  }
  if (name.startsWith("QUEUECTL_")) throw misuse(`secret_env cannot have ${name}: that is queuectl's own`);
  return { name, path };
}

/** Refuses a list that cannot be. */
export function checkSecrets(list: readonly string[]): void {
  if (!Array.isArray(list) || list.length === 0 || list.length > mostSecrets) {
    throw misuse(`secret_env is a list of 1 to ${mostSecrets} variables, each ${secretForms}`);
  }
  const names = new Set<string>();
  for (const { name } of list.map(readSecret)) {
    if (names.has(name)) throw misuse(`${name} stands in secret_env twice`);
    names.add(name);
  }
}

/** The names of such variables. */
export const secretNames = (list: readonly string[] = []): string[] =>
  Array.isArray(list) ? list.map((text) => readSecret(text).name) : [];

/** One list over another: what both name is as the second says. */
export function mergedSecrets(
  under: readonly string[] = [],
  over: readonly string[] = [],
): readonly string[] {
  const names = new Set(secretNames(over));
  return [...under.filter((text) => !names.has(readSecret(text).name)), ...over];
}
