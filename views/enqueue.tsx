// The form that makes a job.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { type FailurePolicy, failurePolicies } from "../src/domain/dependencies.ts";
import { formatDuration } from "../src/domain/duration.ts";
import { Choice, Fault, Field, FormActions, KeyField } from "./parts/form.tsx";
import { RuleFieldset, type RuleTexts } from "./parts/rule-fields.tsx";
import { link, type Ui } from "./parts/ui.ts";

/** What the form's fields contain, as they were typed. */
export interface EnqueueForm extends RuleTexts {
  readonly command: string;
  readonly id: string;
  readonly queue: string;
  readonly priority: string;
  readonly max_retries: string;
  readonly timeout: string;
  readonly run_at: string;
  readonly after: string;
  readonly if_fails: string;
  readonly key: string;
  readonly unique: string;
  readonly unique_key: string;
  readonly unique_for: string;
  readonly tags: string;
  readonly cwd: string;
  readonly env: string;
}

/** What goes along from the form to its preview and back. */
export interface Sending {
  readonly form: EnqueueForm;
  /** Names this sending, so that sending it twice makes one job. */
  readonly once: string;
  /** The job that it was copied from, whose hidden values it keeps. */
  readonly like: string | undefined;
  /** The waiting job that it changes, where it makes no other. */
  readonly edits?: string | undefined;
  /** Names what that job was when the form was filled with it. */
  readonly seen?: string | undefined;
  /** Variables of the job that it shows which are not in the form, and stay what they are. */
  readonly kept?: readonly string[] | undefined;
}

/** Where the form is posted to, without the base. */
export const sentTo = ({ edits }: Sending) => (edits === undefined ? "/enqueue" : `/jobs/${edits}/edit`);

export const timeoutText = (seconds: number) => (seconds === 0 ? "none" : formatDuration(seconds));

export interface EnqueueProps {
  readonly ui: Ui;
  readonly sending: Sending;
  readonly defaults: Readonly<Record<"priority" | "max_retries" | "timeout" | "cwd", string>>;
  readonly queues: readonly string[];
  readonly fault: string | undefined;
  /** Who will run the command. */
  readonly user: string;
}

export function EnqueuePage({ ui, sending, defaults, queues, fault, user }: EnqueueProps) {
  const { form, once, like, edits, seen, kept = [] } = sending;
  return (
    <>
      <h1 safe>{edits === undefined ? "New job" : `Edit job ${edits}`}</h1>
      <Fault text={fault} />
      <form class="panel" method="post" action={link(ui, sentTo(sending))} id="enqueue">
        <input type="hidden" name="once" value={once} />
        {like === undefined ? "" : <input type="hidden" name="like" value={like} />}
        {seen === undefined ? "" : <input type="hidden" name="seen" value={seen} />}
        <label class="field is-full">
          Command
          <textarea
            name="command"
            id="command"
            rows="3"
            required
            spellcheck="false"
            autocapitalize="off"
            autofocus
            safe
          >
            {areaText(form.command)}
          </textarea>
          <span class="hint" safe>{`Run by /bin/sh -c, as the user ${user}, in the directory below.`}</span>
        </label>
        <div class="fields">
          <Field name="queue" word="Queue" value={form.queue} placeholder="default" list="queues" />
          <datalist id="queues">
            {queues.map((queue) => (
              <option value={queue} />
            ))}
          </datalist>
          <Choice
            name="priority"
            word="Priority"
            value={form.priority}
            options={["", "1", "2", "3", "4", "5"].map((value) => [
              value,
              priorityWord(value, defaults.priority),
            ])}
          />
          <Field name="max_retries" value={form.max_retries} placeholder={defaults.max_retries} />
          <Field name="timeout" word="Timeout" value={form.timeout} placeholder={defaults.timeout} />
          <Field name="run_at" value={form.run_at} placeholder="+10m, 2026-12-24T18:00" />
          {edits === undefined ? <AfterFields form={form} /> : ""}
          <KeyField value={form.key} />
          <Field name="tags" word="Tags" value={form.tags} placeholder="nightly, video" />
          {edits === undefined ? (
            <Field name="id" word="Id" value={form.id} placeholder="made for you" />
          ) : (
            ""
          )}
          <Field name="cwd" word="Directory" value={form.cwd} placeholder={defaults.cwd} />
        </div>
        <label class="field is-full">
          Environment, a line each
          <textarea
            name="env"
            id="env"
            rows={envRows(form.env)}
            spellcheck="false"
            placeholder="NAME=value"
            safe
          >
            {areaText(form.env)}
          </textarea>
          <Kept names={kept} />
        </label>
        <RuleFieldset form={form} isOpen={form.unique + form.unique_key + form.unique_for !== ""}>
          {edits === undefined ? <UniqueFields form={form} /> : ""}
        </RuleFieldset>
        <FormActions ui={ui} word="Look it over" back={edits === undefined ? "/jobs" : `/jobs/${edits}`} />
      </form>
    </>
  );
}

/** The first line end in a text area is not taken for text. */
const areaText = (text: string) => `\n${text}`;

function Kept({ names }: { names: readonly string[] }) {
  if (names.length === 0) return "";
  return (
    <span class="hint" safe>
      {`${names.join(", ")} cannot be shown in a form, and ${names.length === 1 ? "stays" : "stay"} as in the job.`}
    </span>
  );
}

const priorityWord = (value: string, byDefault: string) =>
  value === "" ? `default (${byDefault})` : value === "5" ? "5, first" : value;

const policyWords: Readonly<Record<FailurePolicy, string>> = {
  cancel: "cancel this one",
  wait: "wait until they are retried",
  run: "run all the same",
};

function AfterFields({ form }: { form: EnqueueForm }) {
  return (
    <>
      <Field name="after" word="After the jobs" value={form.after} placeholder="k3j9x, backup" />
      <Choice
        name="if_fails"
        word="If one of them fails"
        value={form.if_fails}
        options={failurePolicies.map((policy) => [policy, policyWords[policy]])}
      />
    </>
  );
}

/** As many lines as there are variables, within reason. */
const envRows = (env: string) => String(Math.min(8, Math.max(2, env.split("\n").length + 1)));

function UniqueFields({ form }: { form: EnqueueForm }) {
  return (
    <>
      <Choice
        name="unique"
        word="Once only"
        value={form.unique}
        options={[
          ["", "no"],
          ["true", "not while the same waits or runs"],
        ]}
      />
      <Field
        name="unique_key"
        word="The same is, by a key"
        value={form.unique_key}
        placeholder="command, queue and directory"
      />
      <Field name="unique_for" value={form.unique_for} placeholder="1h" />
    </>
  );
}
