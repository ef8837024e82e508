// The values of variables that are stored nowhere, when a command starts.

import { isUtf8 } from "node:buffer";
import { readFileSync, statSync } from "node:fs";
import { isSystemError, reasonOf } from "../domain/errors.ts";
import { maxCommandBytes } from "../domain/plain-job.ts";
import { readSecret, type SecretVariable } from "../domain/secret-env.ts";

type Environment = Readonly<Record<string, string>>;

/** Their values by name, or why one of them cannot be had, without the value. */
export function secretValues(list: readonly string[], environment: Environment): Environment | string {
  const values: Record<string, string> = {};
  for (const variable of list.map(readSecret)) {
    const value = secretOf(variable, environment);
    if (typeof value === "string") values[variable.name] = value;
    else return value.trouble;
  }
  return values;
}

/** Those that can be had. */
export const knownSecrets = (list: readonly string[], environment: Environment): string[] =>
  list.map((text) => secretOf(readSecret(text), environment)).filter((value) => typeof value === "string");

function secretOf({ name, path }: SecretVariable, environment: Environment): string | { trouble: string } {
  if (path === undefined) {
    return environment[name] ?? { trouble: `the secret variable ${name} is not in the worker's environment` };
  }
  const trouble = (why: string) => ({
    trouble: `the secret variable ${name} cannot be read from ${path}: ${why}`,
  });
  try {
    const stat = statSync(path);
    if (!stat.isFile()) return trouble("it is not a file");
    if (stat.size > maxCommandBytes) return trouble("it is too long");
    const bytes = readFileSync(path);
    // With something else in its place it would be another secret.
    if (!isUtf8(bytes)) return trouble("it is not UTF-8 text");
    const text = bytes.toString().replace(/\r?\n$/, "");
    return text.includes("\0") ? trouble("it contains a NUL byte") : text;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return trouble(reasonOf(error));
  }
}
