// A job before it is made: exactly what would run, as whom and where.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { formatDuration } from "../src/domain/duration.ts";
import type { NewJob } from "../src/domain/job.ts";
import type { Unique } from "../src/domain/keys.ts";
import { shownEnv } from "../src/domain/secrets.ts";
import { type Sending, sentTo, timeoutText } from "./enqueue.tsx";
import { CommandPreview } from "./parts/command-preview.tsx";
import { EnvList, RuleFacts } from "./parts/job-facts.tsx";
import { Moment } from "./parts/time.tsx";
import type { Ui } from "./parts/ui.ts";
import { VisibleText } from "./parts/visible-text.tsx";

export interface EnqueuePreviewProps {
  readonly ui: Ui;
  readonly sending: Sending;
  readonly job: NewJob;
  /** Who will run the command. */
  readonly user: string;
}

export function EnqueuePreview({ ui, sending, job, user }: EnqueuePreviewProps) {
  const { edits, seen, form, once, like } = sending;
  return (
    <CommandPreview
      ui={ui}
      title={edits === undefined ? "Enqueue this?" : `Make job ${edits} this?`}
      command={job.command}
      fields={{
        ...form,
        once,
        ...(like === undefined ? {} : { like }),
        ...(seen === undefined ? {} : { seen }),
      }}
      to={sentTo(sending)}
      step="enqueue"
      word={edits === undefined ? "Enqueue" : "Save"}
      back={edits === undefined ? "/jobs" : `/jobs/${edits}`}
    >
      <Options job={job} user={user} />
    </CommandPreview>
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
      {job.key === null ? (
        ""
      ) : (
        <>
          <dt>Key</dt>
          <dd safe>{`${job.key}: one job of it runs at a time`}</dd>
        </>
      )}
      {job.unique ? (
        <>
          <dt>Once only</dt>
          <dd safe>{onceWords(job.unique)}</dd>
        </>
      ) : (
        ""
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

const onceWords = ({ seconds }: Unique) =>
  `not while the same waits or runs${seconds === 0 ? "" : `, nor within ${formatDuration(seconds)} after it was enqueued`}`;
