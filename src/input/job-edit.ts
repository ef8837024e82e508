// What is to be changed of a job, as JSON from outside.

import { z } from "zod";
import type { JobEdit } from "../domain/edit.ts";
import { misuse } from "../domain/errors.ts";
import type { Job } from "../domain/job.ts";
import { didYouMean } from "../domain/nearest.ts";
import { jobBody, readJobValue, readJson, systemKeys } from "./job.ts";

/** What stays what it is, and what has a verb of its own. */
const fixed: readonly string[] = [...systemKeys, "id", "held", "after", "unique", "unique_for"];

export const editableKeys = Object.keys(jobBody.shape).filter((key) => !fixed.includes(key));

export const jobEditBody = z.strictObject(
  Object.fromEntries(
    Object.entries(jobBody.shape)
      .filter(([key]) => editableKeys.includes(key))
      .map(([key, shape]) => [key, (shape as z.ZodType).optional()]),
  ),
);

/** The edit that a JSON text asks for; a key that it leaves out stays as it is. */
export const readJobEdit = (text: string, job: Job): JobEdit => readJobEditValue(readJson(text), job);

export function readJobEditValue(value: unknown, job: Job): JobEdit {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw misuse("what is to be changed is a JSON object with keys of the job");
  const wrong = Object.keys(value).find((key) => !editableKeys.includes(key));
  if (wrong !== undefined) {
    throw misuse(
      `${JSON.stringify(wrong)} cannot be edited`,
      didYouMean(wrong, editableKeys) ?? `what can is ${editableKeys.join(", ")}`,
    );
  }
  const {
    id: _id,
    held: _held,
    after: _after,
    unique: _unique,
    rules,
    ...wanted
  } = readJobValue({ command: job.command, ...value });
  const said = Object.fromEntries(Object.entries(wanted).filter(([, given]) => given !== undefined));
  return { ...said, ...(rules && { rules: { ...job.rules, ...rules } }) };
}
