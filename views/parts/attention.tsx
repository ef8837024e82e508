// What needs somebody: queues that nobody serves, workers that died, and dead jobs by what they died of.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { exitWords } from "../../src/domain/exit-words.ts";
import type { DeathGroup, Overview, QueueCounts } from "../../src/domain/overview.ts";
import { amount, grouped } from "./amount.ts";
import { Moment } from "./time.tsx";
import { link, type Ui } from "./ui.ts";
import { VisibleText } from "./visible-text.tsx";

const mostQueues = 3;
const mostDeaths = 5;

export function Attention({ ui, overview }: { ui: Ui; overview: Overview }) {
  const { unserved, dead_workers, deaths } = overview;
  if (unserved.length + dead_workers.length + deaths.length === 0) return "";
  return (
    <section class="attention" aria-labelledby="attention-title">
      <h2 id="attention-title">Needs attention</h2>
      <ul>
        <Unserved ui={ui} unserved={unserved} />
        {dead_workers.length === 0 ? (
          ""
        ) : (
          <li class="is-failed">
            <a href={link(ui, "/workers")} safe>{`${amount(dead_workers.length, "worker")} died`}</a>
            <span class="hint">a living worker takes over what they ran</span>
          </li>
        )}
        {deaths.slice(0, mostDeaths).map((group) => (
          <Death ui={ui} group={group} atLeast={overview.more_deaths} />
        ))}
        {deaths.length > mostDeaths ? (
          <li class="is-dead">
            <a href={link(ui, "/dlq")} safe>
              {kinds(deaths.length - mostDeaths)}
            </a>
          </li>
        ) : (
          ""
        )}
      </ul>
    </section>
  );
}

function Unserved({ ui, unserved }: { ui: Ui; unserved: readonly QueueCounts[] }) {
  return (
    <>
      {unserved.slice(0, mostQueues).map((queue) => (
        <li class="is-failed">
          <span>
            No worker serves the queue{" "}
            <a href={link(ui, "/jobs", { queue: queue.queue })} safe>
              {queue.queue}
            </a>
            <span safe>{`, which has ${amount(queue.pending + queue.failed, "job")} to run`}</span>
          </span>
          <code class="same-as">queuectl worker</code>
        </li>
      ))}
      {unserved.length > mostQueues ? (
        <li class="is-failed">
          <span>
            No worker serves{" "}
            <a href={link(ui, "/queues")} safe>
              {amount(unserved.length - mostQueues, "more queue")}
            </a>{" "}
            that {unserved.length - mostQueues === 1 ? "has" : "have"} jobs to run
          </span>
        </li>
      ) : (
        ""
      )}
    </>
  );
}

/** `2 more kinds of deaths`. */
const kinds = (more: number) =>
  more === 1 ? "1 more kind of death" : `${grouped(more)} more kinds of deaths`;

function Death({ ui, group, atLeast }: { ui: Ui; group: DeathGroup; atLeast: boolean }) {
  const words = group.exit_code === null ? undefined : exitWords(group.exit_code);
  const how = words === undefined ? (group.error ?? "dead") : `exit ${group.exit_code}, ${words}`;
  return (
    <li class="is-dead">
      <span class="count is-alarm">
        {group.jobs}
        {atLeast ? "+" : ""} <span class="unseen">dead:</span>
      </span>
      <a
        class="command"
        href={
          group.jobs === 1
            ? link(ui, `/jobs/${group.newest.id}`)
            : link(ui, "/dlq", { q: searchable(group.command) })
        }
      >
        <VisibleText text={group.command.slice(0, 200)} />
      </a>
      <span class="why" safe>
        {how}
      </span>
      <Moment at={group.newest.finished_at} />
    </li>
  );
}

/** The beginning of a command that jobs of its group have in common: what stands before the first number. */
const searchable = (command: string) =>
  /^[^\d]{3,}/.exec(command.slice(0, 60))?.[0].trim() ?? command.slice(0, 60);
