// The form that adds an alert, the look at a command before it is added, and what is said once when an alert was added.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import {
  type AlertEvent,
  alertEvents,
  type Channel,
  channels,
  lineOf,
  type NewAlert,
} from "../src/domain/alert.ts";
import { CommandPreview } from "./parts/command-preview.tsx";
import { Choice, Fault, Field, FormActions } from "./parts/form.tsx";
import { link, type Ui } from "./parts/ui.ts";
import { VisibleText } from "./parts/visible-text.tsx";

/** What the form's fields contain, as they were typed. */
type AlertTexts = Readonly<
  Record<
    | AlertEvent
    | "name"
    | "queue"
    | "tag"
    | "longer_than"
    | "more_than"
    | "older_than"
    | "gather"
    | "by"
    | "to"
    | "cwd",
    string
  >
>;

export interface AlertFormProps {
  readonly ui: Ui;
  readonly form: AlertTexts;
  /** Where a command runs that does not say. */
  readonly cwd: string;
  /** Who will run it. */
  readonly user: string;
  readonly fault: string | undefined;
}

const eventWords: Readonly<Record<AlertEvent, string>> = {
  dead: "A job dies",
  completed: "A job completes",
  slow: "A run takes long",
  backlog: "A queue backs up",
};

const channelWords: Readonly<Record<Channel, string>> = {
  webhook: "Webhook",
  slack: "Slack",
  email: "E-mail",
  command: "Command",
};

export function AlertFormPage({ ui, form, cwd, user, fault }: AlertFormProps) {
  return (
    <>
      <h1>New alert</h1>
      <Fault text={fault} />
      <form class="panel" method="post" action={link(ui, "/alerts")} id="alert">
        <fieldset class="choices">
          <legend>Tell when</legend>
          {alertEvents.map((event) => (
            <label class="check">
              <input type="checkbox" name={event} id={event} value="yes" checked={form[event] !== ""} />{" "}
              <span safe>{eventWords[event]}</span>
            </label>
          ))}
        </fieldset>
        <div class="fields">
          <Field name="name" word="Name" value={form.name} placeholder="deaths" />
          <Field name="queue" word="Only of the queue" value={form.queue} placeholder="any" />
          <Field name="tag" word="Only of jobs tagged" value={form.tag} placeholder="any" />
          <Field name="longer_than" value={form.longer_than} placeholder="2h, for runs" />
          <Field name="more_than" value={form.more_than} placeholder="1000 jobs" />
          <Field name="older_than" value={form.older_than} placeholder="30m, for queues" />
          <Field name="gather" value={form.gather} placeholder="1m" />
          <Choice
            name="by"
            word="By"
            value={form.by}
            options={channels.map((channel) => [channel, channelWords[channel]])}
          />
          <Field name="cwd" word="Directory of the command" value={form.cwd} placeholder={cwd} />
        </div>
        <label class="field is-full">
          To
          <input
            name="to"
            id="to"
            value={form.to}
            required
            autocomplete="off"
            spellcheck="false"
            placeholder="a URL, addresses with commas between, or a command"
          />
          <span class="hint" safe>
            {`A webhook's and Slack's address is not shown again. A command is run by /bin/sh -c, as the user ${user}.`}
          </span>
        </label>
        <FormActions ui={ui} word="Add" back="/alerts" />
      </form>
    </>
  );
}

export interface AlertPreviewProps {
  readonly ui: Ui;
  readonly form: AlertTexts;
  readonly alert: NewAlert;
  readonly user: string;
}

/** A look at a command before it is added. */
export function AlertPreview({ ui, form, alert, user }: AlertPreviewProps) {
  return (
    <CommandPreview
      ui={ui}
      title="Add this alert?"
      command={alert.target}
      fields={{ ...form }}
      to="/alerts"
      step="add"
      word="Add"
      back="/alerts"
    >
      <p>
        <strong safe>{alert.name}</strong> tells of <span safe>{lineOf(alert)}</span> by this command, which
        is run as the user <strong safe>{user}</strong> in{" "}
        <code>
          <VisibleText text={alert.cwd ?? ""} />
        </code>
        .
      </p>
    </CommandPreview>
  );
}

/** A webhook's secret, which is shown this once. */
export function AlertAdded({ ui, name, secret }: { ui: Ui; name: string; secret: string }) {
  return (
    <section class="panel preview">
      <h1>
        Alert <span safe>{name}</span> is added
      </h1>
      <p>The receiver can check who it is from by this secret. It is not shown again.</p>
      <pre class="command-block">
        <code id="secret" safe>
          {secret}
        </code>
      </pre>
      <div class="actions">
        <a class="button is-primary" href={link(ui, "/alerts")}>
          I have it
        </a>
      </div>
    </section>
  );
}
