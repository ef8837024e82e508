// A job's rules as JSON and as a form describe them: their shapes; what they may be is the domain's business.

import { z } from "zod";
import type { Backoff } from "../domain/backoff.ts";
import { parseDuration } from "../domain/duration.ts";
import { misuse, Refusal } from "../domain/errors.ts";
import { statusForms, statusList } from "../domain/exit-rules.ts";
import { readLimit } from "../domain/limits.ts";
import { type JobRules, ruleNames } from "../domain/rules.ts";

const statuses = z
  .union([z.string(), z.number(), z.array(z.union([z.string(), z.number()]))], {
    error: `must be ${statusForms}`,
  })
  .transform(statusList)
  .optional();

/** `524288000`, or `"500M"`. */
function bytes(value: number | string, context: z.RefinementCtx): number {
  if (typeof value === "number") return value;
  try {
    return readLimit("memory", value);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    context.addIssue(error.message);
    return z.NEVER;
  }
}

/** The keys of a job's JSON. */
export const ruleShape = {
  retry_on: statuses,
  dead_on: statuses,
  success_on: statuses,
  backoff: z.string().optional(),
  backoff_base: z.number().optional(),
  backoff_max: z.number().optional(),
  secret_env: z.array(z.string()).optional(),
  nice: z.number().optional(),
  split: z.boolean().optional(),
  memory: z.union([z.number(), z.string()]).transform(bytes).optional(),
};

/** The same as they are printed. */
export const shownRuleShape = {
  retry_on: z.string().optional(),
  dead_on: z.string().optional(),
  success_on: z.string().optional(),
  backoff: z.string().optional(),
  backoff_base: z.number().optional(),
  backoff_max: z.number().optional(),
  secret_env: z.array(z.string()).optional(),
  nice: z.int().optional(),
  memory: z.int().optional(),
  split: z.boolean().optional(),
};

const ruleKeys = Object.keys(ruleShape) as (keyof JobRules)[];

/** The rules among the values of an object; undefined when it says none. */
export function rulesIn(values: object): JobRules | undefined {
  const said = ruleKeys.flatMap((key) => {
    const value = (values as JobRules)[key];
    return value === undefined ? [] : [[key, value]];
  });
  return said.length === 0 ? undefined : Object.fromEntries(said);
}

export type RuleForm = Readonly<Record<(typeof ruleNames)[number], string>>;

export function readRuleForm(form: RuleForm): JobRules {
  const texts = Object.fromEntries(ruleNames.map((name) => [name, form[name].trim() || undefined]));
  const seconds = (name: keyof RuleForm) => {
    const text = texts[name];
    if (text === undefined) return undefined;
    const value = parseDuration(text);
    if (value === undefined)
      throw misuse(`${name} cannot be ${JSON.stringify(text)}: it is seconds, or a duration such as 90s`);
    return value;
  };
  return (
    rulesIn({
      ...texts,
      backoff: texts.backoff as Backoff | undefined,
      backoff_base: seconds("backoff_base"),
      backoff_max: seconds("backoff_max"),
      nice: texts.nice === undefined ? undefined : readLimit("nice", texts.nice),
      memory: texts.memory === undefined ? undefined : readLimit("memory", texts.memory),
      split: texts.split === undefined ? undefined : texts.split === "true",
      secret_env: texts.secret_env?.split(/[\s,]+/).filter((one) => one !== ""),
    }) ?? {}
  );
}

/** A form's texts that say these rules. */
export const ruleTexts = (rules: JobRules): RuleForm =>
  Object.fromEntries(ruleNames.map((name) => [name, String(rules[name] ?? "")])) as RuleForm;
