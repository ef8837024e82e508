// The form that makes a schedule, and the look at it before it is made.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { missedPolicies, type NewSchedule, overlapPolicies } from "../src/domain/schedule.ts";
import { zonedText, zoneOf } from "../src/domain/zone.ts";
import { Options } from "./enqueue-preview.tsx";
import { CommandPreview } from "./parts/command-preview.tsx";
import { Choice, Fault, Field, FormActions, KeyField } from "./parts/form.tsx";
import { RuleFieldset, type RuleTexts } from "./parts/rule-fields.tsx";
import { link, type Ui } from "./parts/ui.ts";

/** What the form's fields contain, as they were typed. */
type ScheduleTexts = RuleTexts &
  Readonly<
    Record<
      | "name"
      | "cron"
      | "tz"
      | "missed"
      | "overlap"
      | "jitter"
      | "command"
      | "queue"
      | "priority"
      | "max_retries"
      | "timeout"
      | "key"
      | "tags"
      | "cwd"
      | "env",
      string
    >
  >;

export interface ScheduleFormProps {
  readonly ui: Ui;
  readonly form: ScheduleTexts;
  readonly defaults: Readonly<Record<"priority" | "max_retries" | "timeout" | "cwd" | "tz", string>>;
  readonly fault: string | undefined;
}

export function ScheduleFormPage({ ui, form, defaults, fault }: ScheduleFormProps) {
  return (
    <>
      <h1>New schedule</h1>
      <Fault text={fault} />
      <form class="panel" method="post" action={link(ui, "/schedules")} id="schedule">
        <label class="field is-full">
          Command
          <textarea name="command" id="command" rows="3" required spellcheck="false" autofocus safe>
            {form.command}
          </textarea>
        </label>
        <div class="fields">
          <Field name="name" word="Name" value={form.name} placeholder="nightly" />
          <Field name="cron" word="Times" value={form.cron} placeholder="30 2 * * *, @daily" />
          <Field name="tz" word="Time zone" value={form.tz} placeholder={defaults.tz} />
          <Choice
            name="missed"
            word="Missed times"
            value={form.missed || "one"}
            options={missedPolicies.map((one) => [one, one])}
          />
          <Choice
            name="overlap"
            word="While the last job runs"
            value={form.overlap || "skip"}
            options={overlapPolicies.map((one) => [one, one])}
          />
          <Field name="jitter" word="Jitter" value={form.jitter} placeholder="none" />
          <Field name="queue" word="Queue" value={form.queue} placeholder="default" />
          <Field name="priority" word="Priority" value={form.priority} placeholder={defaults.priority} />
          <Field name="max_retries" value={form.max_retries} placeholder={defaults.max_retries} />
          <Field name="timeout" word="Timeout" value={form.timeout} placeholder={defaults.timeout} />
          <KeyField value={form.key} />
          <Field name="tags" word="Tags" value={form.tags} placeholder="nightly, video" />
          <Field name="cwd" word="Directory" value={form.cwd} placeholder={defaults.cwd} />
        </div>
        <label class="field is-full">
          Environment, a line each
          <textarea name="env" id="env" rows="2" spellcheck="false" placeholder="NAME=value" safe>
            {form.env}
          </textarea>
        </label>
        <RuleFieldset form={form} />
        <FormActions ui={ui} word="Look it over" back="/schedules" />
      </form>
    </>
  );
}

export interface SchedulePreviewProps {
  readonly ui: Ui;
  readonly form: ScheduleTexts;
  readonly schedule: NewSchedule;
  readonly times: readonly number[];
  /** Who will run the command. */
  readonly user: string;
}

export function SchedulePreview({ ui, form, schedule, times, user }: SchedulePreviewProps) {
  const { name, cron, tz, missed, overlap, job } = schedule;
  const zone = zoneOf(tz);
  return (
    <CommandPreview
      ui={ui}
      title="Add this schedule?"
      command={job.command}
      fields={{ ...form }}
      to="/schedules"
      step="add"
      word="Add"
      back="/schedules"
    >
      <p>
        <strong safe>{name}</strong> comes at <code safe>{cron}</code> in <span safe>{tz}</span>, next at:
      </p>
      <ul class="named">
        {times.map((time) => (
          <li safe>{zonedText(zone, time)}</li>
        ))}
      </ul>
      <Options
        job={{ ...job, id: undefined, after: [], run_at: undefined }}
        user={user}
        when={`at each time; missed ones: ${missed}; while the last job is not settled: ${overlap}`}
      />
    </CommandPreview>
  );
}
