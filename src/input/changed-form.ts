// A form that is filled with a job, to make it another one or to make one like it, and what it says when it comes back. A form cannot
// carry everything: browsers end lines in a way of their own, and blanks and commas part a list. So a field that comes back as it was
// shown says what the job has, and variables that no field can show stay what they are.

import type { Job, JobRequest } from "../domain/job.ts";
import { type JobRules, ruleNames } from "../domain/rules.ts";
import { mergedSecrets, secretNames } from "../domain/secret-env.ts";
import { shownEnv } from "../domain/secrets.ts";
import { formFields, type JobForm, readJobForm } from "./job-form.ts";
import { rulesIn, ruleTexts } from "./rules.ts";

const empty = Object.fromEntries(formFields.map((name) => [name, ""])) as JobForm;

/** Secrets are hidden in it. */
export const formLike = (job: Job): JobForm => ({
  ...empty,
  command: job.command,
  queue: job.queue,
  priority: String(job.priority),
  max_retries: String(job.max_retries),
  timeout: String(job.timeout),
  key: job.key ?? "",
  tags: job.tags.join(", "),
  cwd: job.cwd,
  env: Object.entries(shownEnv(job.env))
    .filter(([, value]) => !hasLines(value))
    .map(([name, value]) => `${name}=${value}`)
    .join("\n"),
  ...ruleTexts({ ...job.rules, secret_env: job.rules.secret_env?.filter((text) => !isParted(text)) }),
});

const hasLines = (value: string) => /[\r\n]/.test(value);
const isParted = (text: string) => /[\s,]/.test(text);

/** The variables that the form does not show, and leaves as they are. */
export const keptNames = ({ env, rules }: Job): readonly string[] => [
  ...Object.keys(keptEnv(env)),
  ...secretNames(keptSecrets(rules)),
];

function keptEnv(env: Job["env"]): Job["env"] {
  const shown = shownEnv(env);
  return Object.fromEntries(Object.entries(env).filter(([name]) => hasLines(shown[name]!)));
}

const keptSecrets = ({ secret_env = [] }: JobRules) => secret_env.filter(isParted);

const plainFields = [
  "command",
  "queue",
  "priority",
  "max_retries",
  "timeout",
  "key",
  "tags",
  "cwd",
] as const satisfies readonly (keyof JobForm & keyof Job)[];

/** What a form says that was filled with a job, and `shown` then. */
export function readChangedForm(form: JobForm, shown: JobForm, job: Job, now: number): JobRequest {
  const isAsShown = (name: keyof JobForm) => asSent(name, form[name]) === asSent(name, shown[name]);
  const untouched = Object.fromEntries(formFields.filter(isAsShown).map((name) => [name, ""]));
  const typed = readJobForm({ ...form, ...untouched }, now);
  const secrets = mergedSecrets(keptSecrets(job.rules), typed.rules?.secret_env);
  return {
    ...typed,
    ...pick(job, plainFields.filter(isAsShown)),
    env: isAsShown("env") ? job.env : { ...keptEnv(job.env), ...typed.env },
    rules:
      rulesIn({
        ...typed.rules,
        secret_env: secrets.length === 0 ? undefined : secrets,
        ...pick(job.rules, ruleNames.filter(isAsShown)),
      }) ?? {},
  };
}

/** A text as it comes from a browser: where there are lines they end as they may, elsewhere there are none. */
const asSent = (name: keyof JobForm, text: string) =>
  name === "command" || name === "env" ? text.replace(/\r\n?/g, "\n") : text.replace(/[\r\n]/g, "");

const pick = <T extends object, Key extends keyof T>(from: T, keys: readonly Key[]) =>
  Object.fromEntries(keys.map((key) => [key, from[key]])) as Pick<T, Key>;
