// How far a change of very many jobs is.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { Act } from "./parts/actions.tsx";
import { amount } from "./parts/amount.ts";
import { link, may, type Ui } from "./parts/ui.ts";

export interface BulkProps {
  readonly ui: Ui;
  readonly run: {
    readonly id: string;
    readonly title: string;
    readonly state: "running" | "done" | "stopped" | "failed";
    readonly changed: number;
    readonly left: number;
    readonly share: number;
    readonly fault: string | undefined;
    readonly back: string;
  };
}

const states = { running: "Under way", done: "Done", stopped: "Stopped", failed: "It failed" };

export function BulkPage({ ui, run }: BulkProps) {
  const { id, title, state, changed, left, share, fault, back } = run;
  const percent = Math.floor(share * 100);
  return (
    <section class="panel bulk-run">
      <h1 safe>{title}</h1>
      <p id="bulk-state">
        <strong safe>{states[state]}</strong>
        <span safe>
          {`: ${amount(changed, "job")} changed so far`.replace(state === "running" ? "" : " so far", "")}
        </span>
        {left === 0 ? "" : <span safe>{`, ${amount(left, "job")} left alone`}</span>}
      </p>
      {fault === undefined ? (
        ""
      ) : (
        <p class="fault" role="alert" safe>
          {`${fault}. What was changed stays changed; do it again for the rest.`}
        </p>
      )}
      <progress aria-label="How much of the queue was walked" max="100" value={String(percent)}>
        <span>{percent} %</span>
      </progress>
      <div class="actions">
        {state === "running" && may(ui, "operate") ? (
          <Act ui={ui} to={`/bulk/${id}/stop`} word="Stop here" look="danger" id="stop-bulk" />
        ) : (
          ""
        )}
        <a class="button" href={link(ui, back)} id="bulk-back">
          Back
        </a>
      </div>
      {state === "running" ? <p class="hint">It goes on when you leave this page.</p> : ""}
    </section>
  );
}
