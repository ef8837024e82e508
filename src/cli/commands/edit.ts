// queuectl edit: change what a job is while it waits, by options or in an editor.

import { isUtf8 } from "node:buffer";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { checkEdit, type EditOf, type JobEdit } from "../../domain/edit.ts";
import { misuse, Refusal } from "../../domain/errors.ts";
import type { Job } from "../../domain/job.ts";
import { jobJson } from "../../domain/json.ts";
import { refuseIfEdited, refuseUnlessWaiting } from "../../store/refusals.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { type JobOptions, jobFlagsBut, overrides } from "../job-options.ts";
import { isTerminal, jsonFlag, note, printJson } from "../output.ts";
import { mergedRules } from "../rule-options.ts";
import { readRequest } from "./enqueue.ts";

export const commands: Commands = {
  edit: {
    usage: "edit <id> [options] [-- <word…>]",
    examples: ["queuectl edit report --priority 5 --delay 10m", "queuectl edit report"],
    flags: [
      ...jobFlagsBut("id", "cwd", "tag"),
      ["--cwd <folder>", "Where it runs"],
      ["--tag <tag>", "A label, in place of those it had; may be repeated", "repeatable"],
      ["--clear-tags", "Take its labels away"],
      ["--clear-key", "Take its key away"],
      jsonFlag,
    ],
    run: edit,
  },
};

interface EditOptions extends JobOptions {
  readonly clearTags?: boolean;
  readonly clearKey?: boolean;
  readonly json?: boolean;
}

async function edit(context: Context, words: readonly string[], options: EditOptions): Promise<number> {
  await using store = await context.openStore();
  const job = await store.jobs.find(words[0]!);
  refuseUnlessWaiting(job, "edited");
  const said = await saidBy(context, options, await store.now());
  let keys: string[] = [];
  const change = (edit: EditOf) =>
    store.jobs.edit(job.seq, (found) => {
      const changes = checkEdit(found, edit(found));
      keys = Object.keys(changes);
      return changes;
    });
  const edited = await (said ? change(said) : editedBy(context, job, change));
  if (options.json) await printJson(jobJson(edited));
  note(keys.length === 0 ? `job ${job.id} stays as it is` : `job ${job.id} has another ${keys.join(", ")}`);
  return done;
}

/** What the options say; undefined when they say nothing. */
export async function saidBy(
  context: Context,
  { json: _json, clearTags, clearKey, ...options }: EditOptions,
  now: number,
): Promise<EditOf | undefined> {
  if (clearTags && options.tag) throw misuse("--clear-tags and --tag are the opposite: give one");
  if (clearKey && options.key !== undefined) throw misuse("--clear-key and --key are the opposite: give one");
  const hasCommand = options.dashed.length > 0 || options.command !== undefined;
  const request = hasCommand ? await readRequest([], options) : undefined;
  const { id: _id, env = {}, rules = {}, cwd, ...more } = overrides(context, options, now);
  const said: JobEdit = {
    ...more,
    ...(request && { command: request.command }),
    ...(cwd !== undefined && { cwd: cwd && resolve(context.cwd, cwd) }),
    ...(options.tag && { tags: options.tag }),
    ...(clearTags && { tags: [] }),
    ...(clearKey && { key: null }),
  };
  if ([said, env, rules].every(isEmpty)) return undefined;
  return (job) => ({
    ...said,
    ...(!isEmpty(env) && { env: { ...job.env, ...env } }),
    ...(!isEmpty(rules) && { rules: mergedRules(job.rules, rules) }),
  });
}

const isEmpty = (part: object) => Object.keys(part).length === 0;

/** The job as somebody made it of its JSON in an editor. A text that is refused is left where it is. */
async function editedBy(context: Context, job: Job, change: (edit: EditOf) => Promise<Job>): Promise<Job> {
  if (!isTerminal(0) || !isTerminal(1)) {
    throw misuse("what is to be changed?", "say it, as --priority 5; at a terminal an editor opens");
  }
  const { editableKeys, readJobEdit } = await import("../../input/job-edit.ts");
  const json: Record<string, unknown> = jobJson(job);
  const shown = editableKeys.filter((key) => key in json).map((key) => [key, json[key]]);
  const before = JSON.stringify(Object.fromEntries(shown), null, 2);
  const folder = mkdtempSync(join(tmpdir(), "queuectl-edit-"));
  const file = join(folder, `${job.id}.json`);
  writeFileSync(file, `${before}\n`, { mode: 0o600 });
  const { VISUAL, EDITOR } = context.environment;
  const editor = VISUAL || EDITOR || "vi";
  const status = await Bun.spawn(["/bin/sh", "-c", `${editor} "$1"`, "sh", file], {
    stdio: ["inherit", "inherit", "inherit"],
  }).exited;
  const bytes = readFileSync(file);
  const text = bytes.toString();
  const isAsBefore = text.trim() === before;
  const remove = () => rmSync(folder, { recursive: true });
  try {
    if (status !== 0) throw new Refusal("conflict", `${editor} ended with exit status ${status}`);
    if (!isUtf8(bytes)) throw misuse("it is not UTF-8 text");
    const asked = isAsBefore ? {} : readJobEdit(text, job);
    const edited = isAsBefore
      ? job
      : await change((found) => {
          refuseIfEdited(found, job);
          return asked;
        });
    remove();
    return edited;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (isAsBefore) remove();
    const rest = isAsBefore ? "" : `; your text is in ${file}`;
    throw new Refusal(error.kind, error.message, `nothing is changed${rest}`);
  }
}
