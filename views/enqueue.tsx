// The form that makes a job.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { backoffs } from "../src/domain/backoff.ts";
import { type FailurePolicy, failurePolicies } from "../src/domain/dependencies.ts";
import { formatDuration } from "../src/domain/duration.ts";
import { link, type Ui } from "./parts/ui.ts";

const ruleNames = [
  "retry_on",
  "dead_on",
  "success_on",
  "backoff",
  "backoff_base",
  "backoff_max",
  "secret_env",
  "nice",
  "memory",
  "split",
] as const;

/** What is typed of how a job is run and judged. */
export type RuleTexts = Readonly<Record<(typeof ruleNames)[number], string>>;

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
  readonly tags: string;
  readonly cwd: string;
  readonly env: string;
}

/** What goes along from the form to its preview and back. */
export interface Sending {
  readonly form: EnqueueForm;
  /** Names this sending, so that sending it twice makes one job. */
  readonly key: string;
  /** The job that it was copied from, whose hidden values it keeps. */
  readonly like: string | undefined;
  /** The waiting job that it changes, where it makes no other. */
  readonly edits?: string | undefined;
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
  const { form, key, like, edits } = sending;
  return (
    <>
      <h1 safe>{edits === undefined ? "New job" : `Edit job ${edits}`}</h1>
      {fault === undefined ? (
        ""
      ) : (
        <p class="fault" role="alert" id="fault" safe>
          {fault}
        </p>
      )}
      <form class="panel enqueue" method="post" action={link(ui, sentTo(sending))} id="enqueue">
        <input type="hidden" name="key" value={key} />
        {like === undefined ? "" : <input type="hidden" name="like" value={like} />}
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
            {form.command}
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
          <label class="field">
            Priority
            <select name="priority" id="priority">
              {["", "1", "2", "3", "4", "5"].map((value) => (
                <option value={value} selected={form.priority === value} safe>
                  {value === "" ? `default (${defaults.priority})` : value === "5" ? "5, first" : value}
                </option>
              ))}
            </select>
          </label>
          <Field
            name="max_retries"
            word="Retries"
            value={form.max_retries}
            placeholder={defaults.max_retries}
          />
          <Field name="timeout" word="Timeout" value={form.timeout} placeholder={defaults.timeout} />
          <Field name="run_at" word="Not before" value={form.run_at} placeholder="+10m, 2026-12-24T18:00" />
          {edits === undefined ? <AfterFields form={form} /> : ""}
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
            {form.env}
          </textarea>
        </label>
        <RuleFieldset form={form} />
        <div class="actions">
          <button type="submit" class="button is-primary" id="submit">
            Look it over
          </button>
          <a class="button is-quiet" href={link(ui, edits === undefined ? "/jobs" : `/jobs/${edits}`)}>
            Cancel
          </a>
        </div>
      </form>
    </>
  );
}

const policyWords: Readonly<Record<FailurePolicy, string>> = {
  cancel: "cancel this one",
  wait: "wait until they are retried",
  run: "run all the same",
};

function AfterFields({ form }: { form: EnqueueForm }) {
  return (
    <>
      <Field name="after" word="After the jobs" value={form.after} placeholder="k3j9x, backup" />
      <label class="field">
        If one of them fails
        <select name="if_fails" id="if_fails">
          {failurePolicies.map((policy) => (
            <option value={policy} selected={form.if_fails === policy} safe>
              {policyWords[policy]}
            </option>
          ))}
        </select>
      </label>
    </>
  );
}

/** What most jobs say nothing of. */
export function RuleFieldset({ form }: { form: RuleTexts }) {
  const isSaid = ruleNames.some((name) => form[name] !== "");
  return (
    <details id="more" class="is-full" open={isSaid}>
      <summary>More options</summary>
      <div class="fields">
        <Field name="retry_on" word="Retry only on" value={form.retry_on} placeholder="75,100-110" />
        <Field name="dead_on" word="Die at once on" value={form.dead_on} placeholder="2" />
        <Field name="success_on" word="Success on" value={form.success_on} placeholder="0" />
        <label class="field">
          Backoff
          <select name="backoff" id="backoff">
            {["", ...backoffs].map((kind) => (
              <option value={kind} selected={form.backoff === kind} safe>
                {kind === "" ? "default (exponential)" : kind}
              </option>
            ))}
          </select>
        </label>
        <Field name="backoff_base" word="Backoff base" value={form.backoff_base} placeholder="2, 30s" />
        <Field name="backoff_max" word="Longest delay" value={form.backoff_max} placeholder="1h" />
        <label class="field">
          Output
          <select name="split" id="split">
            <option value="" selected={form.split !== "true"}>
              stdout and stderr together, in order
            </option>
            <option value="true" selected={form.split === "true"}>
              each by itself
            </option>
          </select>
        </label>
        <Field name="nice" word="Nice" value={form.nice} placeholder="0 to 19" />
        <Field name="memory" word="Most memory" value={form.memory} placeholder="500M" />
        <Field
          name="secret_env"
          word="Secret variables"
          value={form.secret_env}
          placeholder="TOKEN, PASS=@/run/secrets/pass"
        />
      </div>
    </details>
  );
}

/** As many lines as there are variables, within reason. */
const envRows = (env: string) => String(Math.min(8, Math.max(2, env.split("\n").length + 1)));

/** A line of text in a form. */
interface FieldProps {
  readonly name: string;
  readonly word: string;
  readonly value: string;
  readonly placeholder: string;
  readonly list?: string;
}

export function Field({ name, word, value, placeholder, list }: FieldProps) {
  return (
    <label class="field">
      <span safe>{word}</span>
      <input
        name={name}
        id={name}
        value={value}
        placeholder={placeholder}
        list={list}
        autocomplete="off"
        spellcheck="false"
      />
    </label>
  );
}
