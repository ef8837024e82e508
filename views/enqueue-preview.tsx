// A job before it is made: exactly what would run, as whom and where.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import type { NewJob } from "../src/domain/job.ts";
import { shownEnv } from "../src/domain/secrets.ts";
import { type Sending, sentTo, timeoutText } from "./enqueue.tsx";
import { EnvList, RuleFacts } from "./parts/job-facts.tsx";
import { Moment } from "./parts/time.tsx";
import { link, type Ui } from "./parts/ui.ts";
import { unseenCharacters, VisibleText } from "./parts/visible-text.tsx";

export interface EnqueuePreviewProps {
  readonly ui: Ui;
  readonly sending: Sending;
  readonly job: NewJob;
  /** Who will run the command. */
  readonly user: string;
}

export function EnqueuePreview({ ui, sending, job, user }: EnqueuePreviewProps) {
  const unseen = unseenCharacters(job.command);
  const { edits } = sending;
  return (
    <section class="panel preview">
      <h1 safe>{edits === undefined ? "Enqueue this?" : `Make job ${edits} this?`}</h1>
      <pre class="command-block">
        <code>
          <VisibleText text={job.command} />
        </code>
      </pre>
      {unseen.length === 0 ? (
        ""
      ) : (
        <p class="fault" role="alert" id="unseen" safe>
          {`The command contains what cannot be seen (${unseen.join(", ")}), marked above. Say below that you mean it.`}
        </p>
      )}
      <Options job={job} user={user} />
      <form method="post" action={link(ui, sentTo(sending))} id="preview">
        <HiddenFields sending={sending} />
        {unseen.length === 0 ? (
          ""
        ) : (
          <label class="check">
            <input type="checkbox" name="sure" id="sure" value="yes" /> These characters are meant
          </label>
        )}
        <div class="actions">
          <button type="submit" class="button is-primary" name="step" value="enqueue" id="enqueue" autofocus>
            {edits === undefined ? "Enqueue" : "Save"}
          </button>
          <button type="submit" class="button" name="step" value="change" id="change">
            Change
          </button>
          <a class="button is-quiet" href={link(ui, edits === undefined ? "/jobs" : `/jobs/${edits}`)}>
            Cancel
          </a>
        </div>
      </form>
    </section>
  );
}

interface OptionsProps {
  readonly job: NewJob;
  readonly user: string;
  /** Where a time that it may run at does not say it. */
  readonly when?: string;
}

export function Options({ job, user, when = "as soon as a worker is free" }: OptionsProps) {
  const { max_retries } = job;
  return (
    <dl class="facts">
      <dt>Run by</dt>
      <dd>
        <code>/bin/sh -c</code>, as the user <strong safe>{user}</strong>
      </dd>
      <dt>Directory</dt>
      <dd class="path">
        <VisibleText text={job.cwd} />
      </dd>
      <dt>When</dt>
      <dd>{job.run_at === undefined ? <span safe>{when}</span> : <Moment at={job.run_at} />}</dd>
      {job.after.length === 0 ? (
        ""
      ) : (
        <>
          <dt>After</dt>
          <dd safe>{job.after.map(({ id, if_fails }) => `${id} (${if_fails} if it fails)`).join(", ")}</dd>
        </>
      )}
      <dt>Queue</dt>
      <dd safe>{`${job.queue}, priority ${job.priority}`}</dd>
      <dt>Retries</dt>
      <dd safe>{max_retries === 0 ? "none" : `up to ${max_retries}`}</dd>
      <dt>Timeout</dt>
      <dd safe>{timeoutText(job.timeout)}</dd>
      <RuleFacts rules={job.rules} />
      {job.tags.length === 0 ? (
        ""
      ) : (
        <>
          <dt>Tags</dt>
          <dd safe>{job.tags.join(", ")}</dd>
        </>
      )}
      {job.id === undefined ? (
        ""
      ) : (
        <>
          <dt>Id</dt>
          <dd safe>{job.id}</dd>
        </>
      )}
      <dt>Environment</dt>
      <dd>
        <EnvList env={shownEnv(job.env)} isOpen={Object.keys(job.env).length <= 5} />
      </dd>
    </dl>
  );
}

/** Exactly what the form said, so that what is looked at is what is sent. */
function HiddenFields({ sending: { form, key, like } }: Pick<EnqueuePreviewProps, "sending">) {
  const fields = { ...form, key, ...(like === undefined ? {} : { like }) };
  return (
    <>
      {Object.entries(fields).map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
    </>
  );
}
