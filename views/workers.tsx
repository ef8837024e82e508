// The workers: what each runs, and how to stop and start them.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import type { Worker } from "../src/domain/worker.ts";
import { Ask } from "./parts/actions.tsx";
import { WorkerBadge } from "./parts/badge.tsx";
import { Empty } from "./parts/empty.tsx";
import { PageHead } from "./parts/page-head.tsx";
import { type NamePaging, NamePagingBar } from "./parts/paging.tsx";
import { actions, Sheet } from "./parts/sheet.tsx";
import { Moment } from "./parts/time.tsx";
import { here, link, may, type Ui } from "./parts/ui.ts";

/** The fields of the form that starts workers. */
export type StartTexts = Readonly<Record<"count" | "queues", string>>;

interface StartProps {
  readonly ui: Ui;
  readonly typed?: StartTexts;
  /** What is wrong with what was typed. */
  readonly faults?: Partial<StartTexts>;
}

interface WorkersProps extends StartProps {
  readonly workers: readonly Worker[];
  readonly paging: NamePaging;
  /** Of all of them, also those on other pages. */
  readonly anyLives: boolean;
}

export function Workers({ ui, workers, paging, anyLives, ...start }: WorkersProps) {
  return (
    <>
      <PageHead title="Workers">
        {may(ui, "operate") && anyLives ? (
          <Ask ui={ui} about="stop-workers" word="Stop all" look="danger" id="stop-all" />
        ) : (
          ""
        )}
      </PageHead>
      {paging.total === 0 ? (
        <Empty
          title="No worker runs"
          hint="Jobs wait until one does. Start some below, or in a terminal:"
          command="queuectl worker start --count 2"
        />
      ) : (
        <WorkerTable ui={ui} workers={workers} />
      )}
      <NamePagingBar ui={ui} shown={workers.length} {...paging} />
      {may(ui, "operate") ? <StartForm ui={ui} {...start} /> : ""}
    </>
  );
}

function WorkerTable({ ui, workers }: { ui: Ui; workers: readonly Worker[] }) {
  return (
    <Sheet
      caption="Workers"
      columns={[
        "State",
        "Worker",
        ["Runs", "wide"],
        ["Queues", "roomy"],
        ["Process", "roomy"],
        ["Version", "roomy"],
        ["Up", "roomy when"],
        ["Heard of", "roomy when"],
        actions,
      ]}
    >
      {workers.map((worker) => (
        <WorkerRow ui={ui} worker={worker} />
      ))}
    </Sheet>
  );
}

function WorkerRow({ ui, worker }: { ui: Ui; worker: Worker }) {
  const { id, state, job_id, queues, pid, host, started_at, heartbeat_at, version } = worker;
  return (
    <tr id={id}>
      <td>
        <WorkerBadge state={state} />
      </td>
      <td class="id" safe>
        {id}
      </td>
      <td class="wide" data-word="runs">
        {job_id === null ? (
          <span class="none">nothing</span>
        ) : (
          <a class="id" href={link(ui, `/jobs/${job_id}`)} safe>
            {job_id}
          </a>
        )}
      </td>
      <td class="roomy" safe>
        {queues?.join(", ") ?? "all"}
      </td>
      <td class="roomy" safe>{`${pid} on ${host}`}</td>
      <td class="roomy" safe>
        {version}
      </td>
      <td class="roomy when">
        <Moment at={started_at} as="age" />
      </td>
      <td class="roomy when">
        <Moment at={heartbeat_at} />
      </td>
      <td class="do">
        {may(ui, "operate") && state !== "dead" ? (
          <Ask
            ui={ui}
            about="stop-workers"
            query={{ id }}
            word={state === "stopping" ? "Stop now" : "Stop"}
            label={`Stop ${id}`}
            id={`stop-${id}`}
          />
        ) : (
          ""
        )}
      </td>
    </tr>
  );
}

function StartForm({ ui, typed = { count: "1", queues: "" }, faults = {} }: StartProps) {
  return (
    <section class="panel" aria-labelledby="start-title">
      <h2 id="start-title">Start workers</h2>
      <form class="filters" method="post" action={link(ui, "/workers/start")} id="start-workers">
        <input type="hidden" name="back" value={here(ui)} />
        <StartFault field="count" faults={faults} />
        <StartFault field="queues" faults={faults} />
        <label class="field">
          How many
          <input
            type="number"
            name="count"
            id="start-count"
            value={typed.count}
            min="1"
            max="64"
            required
            {...marks("count", faults)}
          />
        </label>
        <label class="field">
          Only these queues
          <input
            name="queues"
            id="start-queues"
            value={typed.queues}
            placeholder="all"
            size="24"
            {...marks("queues", faults)}
          />
        </label>
        <button type="submit" class="button is-primary">
          Start
        </button>
        <span class="hint">They run in the background, on the machine that serves this page.</span>
      </form>
    </section>
  );
}

const marks = (field: keyof StartTexts, faults: Partial<StartTexts>) =>
  faults[field] === undefined ? {} : { "aria-invalid": "true", "aria-describedby": `fault-${field}` };

function StartFault({ field, faults }: { field: keyof StartTexts; faults: Partial<StartTexts> }) {
  if (faults[field] === undefined) return "";
  return (
    <p class="fault" id={`fault-${field}`} role="alert" safe>
      {faults[field]}
    </p>
  );
}
