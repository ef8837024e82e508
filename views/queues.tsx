// The queues: how many jobs of each state every one has.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { type JobState, jobStates } from "../src/domain/job.ts";
import type { QueueCounts } from "../src/domain/overview.ts";
import { Empty } from "./parts/empty.tsx";
import { Moment } from "./parts/time.tsx";
import { link, type Ui } from "./parts/ui.ts";

export interface QueuesProps {
  readonly ui: Ui;
  readonly queues: readonly QueueCounts[];
  /** How many living workers serve each. */
  readonly servedBy: Readonly<Record<string, number>>;
}

export function Queues({ ui, queues, servedBy }: QueuesProps) {
  return (
    <>
      <h1>Queues</h1>
      {queues.length === 0 ? (
        <Empty
          title="There is no queue yet"
          hint="A queue is there as soon as a job names it:"
          command="queuectl enqueue 'echo hello' --queue mail"
        />
      ) : (
        <div class="sheet">
          <table>
            <caption class="unseen">Queues</caption>
            <thead>
              <tr>
                <th class="wide">Queue</th>
                {jobStates.map((state) => (
                  <th class="number">{state === "failed" ? "retrying" : state}</th>
                ))}
                <th class="when">Oldest waits</th>
                <th class="number">Workers</th>
              </tr>
            </thead>
            <tbody>
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
                  <td class="when">
                    <Moment at={queue.oldest_waiting_at} as="age" />
                  </td>
                  <td class="number">
                    {(servedBy[queue.queue] ?? 0) > 0 ? (
                      servedBy[queue.queue]
                    ) : (
                      <span class={queue.pending + queue.failed > 0 ? "is-dead" : "none"}>none</span>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

function Count({ ui, queue, state }: { ui: Ui; queue: QueueCounts; state: JobState }) {
  const count = queue[state];
  return (
    <td class="number">
      {count === 0 ? (
        <span class="none">0</span>
      ) : (
        <a href={link(ui, "/jobs", { queue: queue.queue, state })}>
          <span safe>{count.toLocaleString("en")}</span>
        </a>
      )}
    </td>
  );
}
