// A job as a form in a browser describes it: texts, most of them empty.

import { failurePolicies, type Parent } from "../domain/dependencies.ts";
import { durationForms, parseDuration } from "../domain/duration.ts";
import { misuse } from "../domain/errors.ts";
import type { JobRequest } from "../domain/job.ts";
import { oneOf } from "../domain/one-of.ts";
import { ruleNames } from "../domain/rules.ts";
import { parseTime, timeForms } from "../domain/time.ts";
import { readRuleForm } from "./rules.ts";

export const formFields = [
  "command",
  "id",
  "queue",
  "priority",
  "max_retries",
  "timeout",
  "run_at",
  "after",
  "if_fails",
  "key",
  "unique",
  "unique_key",
  "unique_for",
  "tags",
  "cwd",
  "env",
  ...ruleNames,
] as const;

export type JobForm = Readonly<Record<(typeof formFields)[number], string>>;

export function readJobForm(form: JobForm, now: number): JobRequest {
  const said = <T>(name: keyof JobForm, read: (text: string) => T): T | undefined => {
    const text = form[name].trim();
    return text === "" ? undefined : read(text);
  };
  const asIs = (text: string) => text;
  return {
    // A browser sends a line end in a text field as CR LF; the shell wants LF alone.
    command: form.command.replaceAll("\r\n", "\n"),
    id: said("id", asIs),
    queue: said("queue", asIs),
    priority: said("priority", number("priority")),
    max_retries: said("max_retries", number("max_retries")),
    timeout: said("timeout", seconds("timeout")),
    run_at: said("run_at", (text) => moment(text, now)),
    after: said("after", (text) => parents(text, form.if_fails)),
    key: said("key", asIs),
    unique: unique(form),
    tags: said("tags", (text) => text.split(/[\s,]+/).filter((tag) => tag !== "")),
    cwd: said("cwd", asIs),
    env: Object.fromEntries(lines(form.env).map(variable)),
    rules: readRuleForm(form),
  };
}

function parents(text: string, policy: string): Parent[] {
  const if_fails = policy === "" ? "cancel" : oneOf("if_fails", policy, failurePolicies);
  return text
    .split(/[\s,]+/)
    .filter((id) => id !== "")
    .map((id) => ({ id, if_fails }));
}

const lines = (text: string) => text.split(/\r?\n/).filter((line) => line.trim() !== "");

const number = (name: string) => (text: string) => {
  if (/^-?\d+$/.test(text)) return Number(text);
  throw misuse(`${name} cannot be ${JSON.stringify(text)}: it is a whole number`);
};

const seconds = (name: string) => (text: string) => {
  const value = parseDuration(text);
  if (value === undefined) throw misuse(`${name} cannot be ${JSON.stringify(text)}: it is ${durationForms}`);
  return value;
};

/** Any of the three fields says it. */
function unique(form: JobForm): JobRequest["unique"] {
  const [key, time] = [form.unique_key.trim(), form.unique_for.trim()];
  if (form.unique !== "true" && key === "" && time === "") return undefined;
  return { key: key || undefined, seconds: time === "" ? 0 : seconds("unique_for")(time) };
}

function moment(text: string, now: number): number {
  const value = parseTime(text, now);
  if (value === undefined) throw misuse(`run_at cannot be ${JSON.stringify(text)}: it is ${timeForms}`);
  return value;
}

function variable(line: string): [string, string] {
  const equals = line.indexOf("=");
  if (equals < 0) throw misuse(`environment: ${JSON.stringify(line)} has no = between name and value`);
  return [line.slice(0, equals).trim(), line.slice(equals + 1)];
}
