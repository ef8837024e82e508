// queuectl alert: what there is of alerts, and what is done with one.

import { send } from "../../alerts/send.ts";
import { type Alert, type Delivery, fareOf, lineOf, shownTarget } from "../../domain/alert.ts";
import { type Message, testMessage } from "../../domain/alert-message.ts";
import { formatDuration } from "../../domain/duration.ts";
import { Refusal } from "../../domain/errors.ts";
import { alertJson, deliveryJson } from "../../domain/json.ts";
import { isoTime } from "../../domain/time.ts";
import { newMessageId } from "../../store/alerts.ts";
import type { Store } from "../../store/store.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { type Cell, type Fact, jsonFlag, note, printFacts, printJson, printTable } from "../output.ts";

export const commands: Commands = {
  "alert list": { flags: [jsonFlag], run: alertList },
  "alert show": { flags: [jsonFlag], run: alertShow },
  "alert test": { run: alertTest },
  "alert pause": { run: alertPause },
  "alert resume": { run: alertResume },
  "alert delete": { run: alertDelete },
};

interface Shown {
  readonly json?: boolean;
}

/** Messages that `show` has. */
const shownDeliveries = 10;

async function alertList(context: Context, _words: readonly string[], { json }: Shown): Promise<number> {
  await using store = await context.openStore();
  const alerts = await store.alerts.list();
  if (json) await printJson(alerts.map(alertJson));
  else if (alerts.length === 0) note("there is no alert; queuectl alert add --help says how to add one");
  else
    await printTable(
      ["NAME", "ON", "BY", "TO", "STATE", "LAST", "ANSWER"],
      alerts.map((alert) => [
        alert.name,
        lineOf(alert),
        alert.channel,
        shownTarget(alert),
        stateOf(alert),
        alert.last === null ? "" : isoTime(alert.last.tried_at!),
        alert.last?.answer ?? "",
      ]),
      ["LAST", "BY", "ON", "TO"],
    );
  return done;
}

function stateOf(alert: Alert): Cell {
  const { kind, words } = fareOf(alert);
  if (kind === "fine" || kind === "gathering") return words;
  return { text: words, style: kind === "given_up" ? "red" : "yellow" };
}

async function alertShow(context: Context, [name]: readonly string[], { json }: Shown): Promise<number> {
  await using store = await context.openStore();
  const alert = await store.alerts.find(name!);
  const deliveries = await store.alerts.deliveries(alert.name, shownDeliveries);
  if (json) {
    await printJson({ ...alertJson(alert), deliveries: deliveries.map(deliveryJson) });
    return done;
  }
  await printFacts(facts(alert));
  if (deliveries.length === 0) return done;
  note("");
  await printTable(["MADE", "STATE", "TRIES", "NEXT", "ANSWER", "SAYS"], deliveries.map(deliveryRow));
  return done;
}

function facts(alert: Alert): Fact[] {
  const { name, channel, gather, cwd, untold, waiting, given_up } = alert;
  return [
    ["name", name],
    ["on", lineOf(alert)],
    ["by", channel],
    ["to", shownTarget(alert)],
    ["directory", cwd],
    ["gathers", gather === 0 ? "nothing: each is a message of its own" : formatDuration(gather)],
    ["state", stateOf(alert)],
    ["untold", String(untold)],
    ["waiting", String(waiting)],
    ["given up", String(given_up)],
  ];
}

const deliveryRow = ({ created_at, state, tries, due_at, answer, message }: Delivery): Cell[] => [
  isoTime(created_at),
  state === "given_up" ? { text: "given up", style: "red" } : state,
  String(tries),
  due_at === null ? "" : isoTime(due_at),
  answer ?? "",
  (JSON.parse(message) as Message).text,
];

async function alertTest(context: Context, [name]: readonly string[]): Promise<number> {
  await using store = await context.openStore();
  const alert = await store.alerts.find(name!);
  const letter = {
    id: newMessageId(),
    message: JSON.stringify(testMessage(alert.name, await store.now())),
  };
  const { home, environment } = context;
  const settings = await context.settings(store);
  const reply = await send(alert, letter, { home, environment, settings, stderr: "inherit" });
  if (reply.kind === "refused")
    throw new Refusal(
      "unavailable",
      `alert ${alert.name} could not tell ${shownTarget(alert)}: ${reply.answer}`,
    );
  note(`alert ${alert.name} told ${shownTarget(alert)}: ${reply.answer}`);
  return done;
}

function alertPause(context: Context, names: readonly string[]): Promise<number> {
  return each(context, names, async (store, name) => {
    await store.alerts.pause(name);
    note(`alert ${name} is paused`);
  });
}

function alertResume(context: Context, names: readonly string[]): Promise<number> {
  return each(context, names, async (store, name) => {
    await store.alerts.resume(name);
    note(`alert ${name} goes on`);
  });
}

function alertDelete(context: Context, names: readonly string[]): Promise<number> {
  return each(context, names, async (store, name) => {
    await store.alerts.remove(name);
    note(`alert ${name} is deleted`);
  });
}

/** Nothing is done when one of them is not there. */
async function each(
  context: Context,
  names: readonly string[],
  act: (store: Store, name: string) => Promise<void>,
): Promise<number> {
  await using store = await context.openStore();
  for (const name of names) await store.alerts.find(name);
  for (const name of new Set(names)) await act(store, name);
  return done;
}
