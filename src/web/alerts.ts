// What pages and the API do with alerts: the same for both.

import { send } from "../alerts/send.ts";
import { shownTarget } from "../domain/alert.ts";
import { testMessage } from "../domain/alert-message.ts";
import { alertJson, deliveryJson } from "../domain/json.ts";
import { newMessageId } from "../store/alerts.ts";
import { Problem } from "./errors.ts";
import { audited } from "./forms.ts";
import type { Web } from "./web.ts";

/** Messages that are shown with an alert. */
export const shownDeliveries = 20;

export async function alertWithDeliveries(web: Web, name: string) {
  const alert = await web.store.alerts.find(name);
  const deliveries = await web.store.alerts.deliveries(name, shownDeliveries);
  return { ...alertJson(alert), deliveries: deliveries.map(deliveryJson) };
}

/** Sends a message at once. Returns what came back; a refusal is a problem of whoever should have taken it. */
export async function tested(web: Web, request: Request, name: string): Promise<string> {
  const alert = await web.store.alerts.find(name);
  web.hold(request);
  audited(web, request, "alert test", [name]);
  const message = JSON.stringify(testMessage(name, await web.store.now()));
  const { home, environment } = web;
  const settings = await web.settings();
  const reply = await send(alert, { id: newMessageId(), message }, { home, environment, settings });
  if (reply.kind === "accepted") return reply.answer;
  throw new Problem(
    502,
    "receiver",
    `the alert ${name} could not tell ${shownTarget(alert)}: ${reply.answer}`,
  );
}
