// The form that makes a job.
/** @jsxImportSource @kitajs/html */

import { link, type Ui } from "./parts/ui.ts";
import { unseenCharacters, VisibleText } from "./parts/visible-text.tsx";

/** What the form's fields contain, as they were typed. */
export interface EnqueueForm {
  readonly command: string;
  readonly id: string;
  readonly queue: string;
  readonly priority: string;
  readonly max_retries: string;
  readonly timeout: string;
  readonly run_at: string;
  readonly tags: string;
  readonly cwd: string;
  readonly env: string;
}

export interface EnqueueProps {
  readonly ui: Ui;
  readonly form: EnqueueForm;
  readonly defaults: Readonly<Record<"priority" | "max_retries" | "timeout" | "cwd", string>>;
  readonly queues: readonly string[];
  readonly fault: string | undefined;
  /** Names this sending of the form, so that sending it twice makes one job. */
  readonly sendKey: string;
  /** Who will run the command. */
  readonly user: string;
}

export function EnqueuePage({ ui, form, defaults, queues, fault, sendKey, user }: EnqueueProps) {
  return (
    <>
      <h1>New job</h1>
      {fault === undefined ? (
        ""
      ) : (
        <p class="fault" role="alert" id="fault" safe>
          {fault}
        </p>
      )}
      {unseenCharacters(form.command).length === 0 ? (
        ""
      ) : (
        <pre class="command-block">
          <code>
            <VisibleText text={form.command} />
          </code>
        </pre>
      )}
      <form class="panel enqueue" method="post" action={link(ui, "/enqueue")} id="enqueue">
        <input type="hidden" name="key" value={sendKey} />
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
          <Field
            name="run_at"
            word="Not before"
            value={form.run_at}
            placeholder="now; +10m, 2026-12-24T18:00"
          />
          <Field name="tags" word="Tags" value={form.tags} placeholder="nightly, video" />
          <Field name="id" word="Id" value={form.id} placeholder="made for you" />
          <Field name="cwd" word="Directory" value={form.cwd} placeholder={defaults.cwd} />
        </div>
        <label class="field is-full">
          Environment, a line each
          <textarea name="env" id="env" rows="2" spellcheck="false" placeholder="NAME=value" safe>
            {form.env}
          </textarea>
        </label>
        {unseenCharacters(form.command).length === 0 ? (
          ""
        ) : (
          <label class="check">
            <input type="checkbox" name="sure" id="sure" value="yes" /> These characters are meant
          </label>
        )}
        <div class="actions">
          <button type="submit" class="button is-primary" id="submit">
            Enqueue
          </button>
          <a class="button is-quiet" href={link(ui, "/jobs")}>
            Cancel
          </a>
        </div>
      </form>
    </>
  );
}

interface FieldProps {
  readonly name: keyof EnqueueForm;
  readonly word: string;
  readonly value: string;
  readonly placeholder: string;
  readonly list?: string;
}

function Field({ name, word, value, placeholder, list }: FieldProps) {
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
