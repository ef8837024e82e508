// The queues: how many jobs of each state every one has, which are paused, and the form for the limits of one.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { type JobState, jobStates } from "../src/domain/job.ts";
import { formatRate, type Queue } from "../src/domain/queue.ts";
import { PauseOrResume } from "./parts/actions.tsx";
import { grouped } from "./parts/amount.ts";
import { stateWord } from "./parts/badge.tsx";
import { Empty } from "./parts/empty.tsx";
import { Fault, Field } from "./parts/form.tsx";
import { type NamePaging, NamePagingBar } from "./parts/paging.tsx";
import { actions, type Column, Sheet } from "./parts/sheet.tsx";
import { Moment } from "./parts/time.tsx";
import { link, may, type Ui } from "./parts/ui.ts";

export interface QueuesProps {
  readonly ui: Ui;
  readonly queues: readonly Queue[];
  /** How many living workers serve each. */
  readonly servedBy: Readonly<Record<string, number>>;
  readonly paging: NamePaging;
}

export function Queues({ ui, queues, servedBy, paging }: QueuesProps) {
  return (
    <>
      <h1>Queues</h1>
      {paging.total === 0 ? (
        <Empty
          title="There is no queue yet"
          hint="A queue is there as soon as a job names it:"
          command="queuectl enqueue 'echo hello' --queue mail"
        />
      ) : (
        <Sheet
          caption="Queues"
          columns={[
            ["Queue", "wide"],
            ...jobStates.map((state): Column => [stateWord(state), "number"]),
            ["Oldest waits", "when"],
            ["Workers", "number"],
            "State",
            actions,
          ]}
        >
          {queues.map((queue) => (
            <tr id={`queue-${queue.queue}`}>
              <td class="wide">
                <a class="chip" href={link(ui, "/jobs", { queue: queue.queue })} safe>
                  {queue.queue}
                </a>
              </td>
              {jobStates.map((state) => (
                <Count ui={ui} queue={queue} state={state} />
              ))}
              <td class="when" data-word="oldest waits">
                <Moment at={queue.oldest_waiting_at} as="age" />
              </td>
              <td class="number" data-word="workers">
                {(servedBy[queue.queue] ?? 0) > 0 ? (
                  servedBy[queue.queue]
                ) : (
                  <span class={queue.pending + queue.failed > 0 ? "is-dead" : "none"}>none</span>
                )}
              </td>
              <td safe>{stateText(queue)}</td>
              <td class="do">{may(ui, "operate") ? <Actions ui={ui} queue={queue} /> : ""}</td>
            </tr>
          ))}
        </Sheet>
      )}
      <NamePagingBar ui={ui} shown={queues.length} {...paging} />
    </>
  );
}

function Count({ ui, queue, state }: { ui: Ui; queue: Queue; state: JobState }) {
  const count = queue[state];
  return (
    <td class="number" data-word={stateWord(state)}>
      {count === 0 ? (
        <span class="none">0</span>
      ) : (
        <a href={link(ui, "/jobs", { queue: queue.queue, state })}>
          <span safe>{grouped(count)}</span>
        </a>
      )}
    </td>
  );
}

/** `paused, 2 at once, 100/m`. */
function stateText({ paused_at, concurrency, rate }: Queue): string {
  return [
    paused_at === null ? "open" : "paused",
    concurrency === null ? "" : `${concurrency} at once`,
    rate === null ? "" : formatRate(rate),
  ]
    .filter(Boolean)
    .join(", ");
}

function Actions({ ui, queue: { queue, paused_at } }: { ui: Ui; queue: Queue }) {
  const own = `/queues/${queue}`;
  return (
    <>
      <PauseOrResume ui={ui} own={own} name={queue} paused={paused_at !== null} />
      <a class="button" href={link(ui, own)} aria-label={`Limits of ${queue}`} id={`limits-${queue}`}>
        Limits
      </a>
    </>
  );
}

/** The fields of the form for limits, and what stood in them when it was opened. */
export const limitFields = ["concurrency", "concurrency_was", "rate", "rate_was"] as const;

type LimitTexts = Readonly<Record<(typeof limitFields)[number], string>>;

export function limitTexts(queue: Queue): LimitTexts {
  const concurrency = queue.concurrency === null ? "" : String(queue.concurrency);
  const rate = queue.rate === null ? "" : formatRate(queue.rate);
  return { concurrency, concurrency_was: concurrency, rate, rate_was: rate };
}

export interface QueuePageProps {
  readonly ui: Ui;
  readonly name: string;
  readonly texts: LimitTexts;
  readonly fault: string | undefined;
}

/** The limits of one queue. */
export function QueuePage({ ui, name, texts, fault }: QueuePageProps) {
  return (
    <>
      <h1>
        Queue <span safe>{name}</span>
      </h1>
      <Fault text={fault} />
      <form class="panel" method="post" action={link(ui, `/queues/${name}/limits`)} id="limits">
        <input type="hidden" name="concurrency_was" value={texts.concurrency_was} />
        <input type="hidden" name="rate_was" value={texts.rate_was} />
        <div class="fields">
          <Field name="concurrency" value={texts.concurrency} placeholder="any number" />
          <Field name="rate" value={texts.rate} placeholder="100/m, 5/10s" />
        </div>
        <div class="actions">
          <button type="submit" class="button is-primary" id="set-limits">
            Set limits
          </button>
          <a class="button is-quiet" href={link(ui, "/queues")}>
            Back
          </a>
        </div>
      </form>
    </>
  );
}
