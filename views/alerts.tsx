// The alerts: what each tells of and where, how its last message fared, and what can be done with it.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { type Alert, type Delivery, fareOf, lineOf, shownTarget } from "../src/domain/alert.ts";
import type { Message } from "../src/domain/alert-message.ts";
import { Act, Ask, PauseOrResume } from "./parts/actions.tsx";
import { Badge, type Shape } from "./parts/badge.tsx";
import { Empty } from "./parts/empty.tsx";
import { NewLink, PageHead } from "./parts/page-head.tsx";
import { type NamePaging, NamePagingBar } from "./parts/paging.tsx";
import { actions, Sheet } from "./parts/sheet.tsx";
import { Moment } from "./parts/time.tsx";
import { link, may, type Ui } from "./parts/ui.ts";
import { shortened, VisibleText } from "./parts/visible-text.tsx";

interface AlertsProps {
  readonly ui: Ui;
  readonly alerts: readonly Alert[];
  readonly paging: NamePaging;
}

export function Alerts({ ui, alerts, paging }: AlertsProps) {
  return (
    <>
      <PageHead title="Alerts">
        <NewLink ui={ui} to="/alerts/new" word="New alert" id="new-alert" />
      </PageHead>
      {paging.total === 0 ? (
        <Empty
          title="There is no alert"
          hint="Somebody may be told when jobs die, complete or run for long, or when a queue backs up:"
          command="queuectl alert add deaths --on dead --slack https://hooks.slack.com/services/…"
        />
      ) : (
        <AlertTable ui={ui} alerts={alerts} />
      )}
      <NamePagingBar ui={ui} shown={alerts.length} {...paging} />
    </>
  );
}

function AlertTable({ ui, alerts }: { ui: Ui; alerts: readonly Alert[] }) {
  return (
    <Sheet caption="Alerts" columns={["Name", "Tells of", "State", ["Last", "when"], "To", actions]}>
      {alerts.map((alert) => (
        <AlertRow ui={ui} alert={alert} />
      ))}
    </Sheet>
  );
}

function AlertRow({ ui, alert }: { ui: Ui; alert: Alert }) {
  const { name, channel, paused, last } = alert;
  return (
    <tr id={`alert-${name}`}>
      <td class="id">
        <a href={link(ui, `/alerts/${name}`)} safe>
          {name}
        </a>
      </td>
      <td safe>{lineOf(alert)}</td>
      <td>
        <AlertState alert={alert} />
      </td>
      <td class="when" data-word="last">
        <Moment at={last?.tried_at ?? null} />
        {last?.answer ? (
          <span class="hint">
            {" "}
            <VisibleText text={last.answer} />
          </span>
        ) : (
          ""
        )}
      </td>
      <td class="asked">
        <span class="hint">{channel}</span>{" "}
        <code title={shortened(shownTarget(alert))}>
          <VisibleText text={shortened(shownTarget(alert))} />
        </code>
      </td>
      <td class="do">{may(ui, "operate") ? <Actions ui={ui} name={name} paused={paused} /> : ""}</td>
    </tr>
  );
}

const fareShapes: Readonly<Record<ReturnType<typeof fareOf>["kind"], Shape>> = {
  paused: "cancelled",
  given_up: "dead",
  waiting: "failed",
  gathering: "pending",
  fine: "completed",
};

function AlertState({ alert }: { alert: Alert }) {
  const { kind, words } = fareOf(alert);
  return <Badge shape={fareShapes[kind]} word={words} />;
}

function Actions({ ui, name, paused }: { ui: Ui; name: string; paused: boolean }) {
  const own = `/alerts/${name}`;
  return (
    <>
      <Act ui={ui} to={`${own}/test`} word="Test" label={`Test ${name}`} id={`test-${name}`} />
      <PauseOrResume ui={ui} own={own} name={name} paused={paused} />
      <Ask
        ui={ui}
        about={`delete-alert/${name}`}
        word="Delete"
        label={`Delete ${name}`}
        id={`delete-${name}`}
      />
    </>
  );
}

export interface AlertPageProps {
  readonly ui: Ui;
  readonly alert: Alert;
  readonly deliveries: readonly Delivery[];
}

export function AlertPage({ ui, alert, deliveries }: AlertPageProps) {
  return (
    <>
      <PageHead title={`Alert ${alert.name}`}>
        {may(ui, "operate") ? <Actions ui={ui} name={alert.name} paused={alert.paused} /> : ""}
      </PageHead>
      <p>
        <AlertState alert={alert} /> <span safe>{`${lineOf(alert)}, by ${alert.channel} to `}</span>
        <code>
          <VisibleText text={shownTarget(alert)} />
        </code>
      </p>
      {deliveries.length === 0 ? (
        <p class="hint">It has told nothing yet.</p>
      ) : (
        <Sheet
          caption="Messages"
          columns={[["Made", "when"], "State", "Tries", ["Next", "when"], "Answer", ["Says", "wide"]]}
        >
          {deliveries.map((delivery) => (
            <DeliveryRow delivery={delivery} />
          ))}
        </Sheet>
      )}
    </>
  );
}

const deliveryShapes: Readonly<Record<Delivery["state"], Shape>> = {
  waiting: "failed",
  sent: "completed",
  given_up: "dead",
};

function DeliveryRow({
  delivery: { state, tries, created_at, due_at, answer, message },
}: {
  delivery: Delivery;
}) {
  return (
    <tr>
      <td class="when">
        <Moment at={created_at} />
      </td>
      <td>
        <Badge shape={deliveryShapes[state]} word={state === "given_up" ? "given up" : state} />
      </td>
      <td>{tries}</td>
      <td class="when">
        <Moment at={due_at} />
      </td>
      <td>
        <VisibleText text={answer ?? ""} />
      </td>
      <td class="wide">
        <VisibleText text={(JSON.parse(message) as Message).text} />
      </td>
    </tr>
  );
}
