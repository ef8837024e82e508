// The alerts: their list, one and its messages, the form that adds one, and what is done with one.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { Elysia } from "elysia";
import { AlertAdded, AlertFormPage, AlertPreview } from "../../../views/alert-form.tsx";
import { AlertPage, Alerts } from "../../../views/alerts.tsx";
import { lineOf, type NewAlert, shownTarget } from "../../domain/alert.ts";
import { type AlertForm, alertFields, readAlertForm } from "../../input/alert.ts";
import { shownDeliveries, tested } from "../alerts.ts";
import { followSteps, refusedFor } from "../form-steps.ts";
import { answerForm, audited, formOf, localPath, typedIn } from "../forms.ts";
import { asking } from "../questions.tsx";
import { pageByName } from "../reads.ts";
import {
  fragment,
  type MakeScreen,
  type Place,
  page,
  pageReply,
  part,
  placeAt,
  type Screen,
} from "../screens.tsx";
import { doing, type Verbs } from "../verbs.ts";
import { needs, type Web } from "../web.ts";
import { userName } from "./enqueue.tsx";

const screen: MakeScreen = async ({ web, ui, query }) => {
  const every = await web.shared("alerts", () => web.store.alerts.list());
  const { rows, paging } = pageByName(every, ({ name }) => name, query.get("after") ?? "");
  return { title: "Alerts", body: <Alerts ui={ui} alerts={rows} paging={paging} /> };
};

const one: MakeScreen = async ({ web, ui, params }) => {
  const alert = await web.store.alerts.find(params.name!);
  const deliveries = await web.store.alerts.deliveries(alert.name, shownDeliveries);
  return {
    title: `Alert ${alert.name}`,
    body: <AlertPage ui={ui} alert={alert} deliveries={deliveries} />,
  };
};

const ask = asking(async ({ web, params, query }) => {
  const alert = await web.store.alerts.find(params.name!);
  return {
    title: `Delete the alert ${alert.name}?`,
    text: "It tells nothing any more. Its messages, also those that wait, go with it.",
    about: [lineOf(alert), `${alert.channel} ${shownTarget(alert)}`],
    to: `/alerts/${alert.name}/delete`,
    fields: [],
    choices: [{ word: "Delete the alert", look: "danger" as const }],
    back: localPath(query.get("back") ?? "/alerts"),
    typed: undefined,
  };
});

export const alertRoutes = (web: Web) =>
  new Elysia()
    .get("/alerts", page(web, screen), needs("read"))
    .get("/p/alerts", part(web, screen), needs("read"))
    .get(
      "/alerts/new",
      page(web, (call) => formScreen(call, { ...empty, dead: "yes" })),
      needs("enqueue"),
    )
    .post("/alerts", ({ request }) => send(web, request), needs("enqueue"))
    .get("/alerts/:name", page(web, one), needs("read"))
    .get("/p/alerts/:name", part(web, one), needs("read"))
    .get("/confirm/delete-alert/:name", page(web, ask), needs("operate"))
    .get("/p/confirm/delete-alert/:name", fragment(web, ask), needs("operate"))
    .post("/alerts/:name/test", ({ request, params }) => test(web, request, params.name), needs("operate"))
    .post("/alerts/:name/:verb", doing(web, "alert", verbs), needs("operate"));

const empty = typedIn(alertFields, new URLSearchParams());

/** The form, with what is wrong with it if anything is. */
async function formScreen({ web, ui }: Place, form: AlertForm, fault?: string): Promise<Screen> {
  return {
    title: "New alert",
    status: fault === undefined ? 200 : 422,
    refreshes: false,
    body: <AlertFormPage ui={ui} form={form} cwd={web.cwd} user={userName()} fault={fault} />,
  };
}

const previewScreen = ({ ui }: Place, form: AlertForm, alert: NewAlert, status: number): Screen => ({
  title: "Add this alert?",
  status,
  refreshes: false,
  body: <AlertPreview ui={ui} form={form} alert={alert} user={userName()} />,
});

async function send(web: Web, request: Request): Promise<Response> {
  const fields = await formOf(request);
  const form = typedIn(alertFields, fields);
  const place = await placeAt(web, request, "/alerts/new");
  return followSteps({
    place,
    fields,
    storing: "add",
    form: (fault) => formScreen(place, form, fault),
    read: async () => readAlertForm(form, web.cwd),
    commandOf: ({ channel, target }) => (channel === "command" ? target : undefined),
    look: (wanted, status) => previewScreen(place, form, wanted, status),
    store: async (wanted) => {
      await web.store.alerts.add(wanted);
      const { name, secret } = wanted;
      audited(web, request, "alert add", [name]);
      if (secret === null)
        return answerForm(web, request, fields, { text: `Alert ${name} is added`, to: "/alerts" });
      return pageReply(place, {
        title: "Alert added",
        refreshes: false,
        body: <AlertAdded ui={place.ui} name={name} secret={secret} />,
      });
    },
    isTheirs: refusedFor("usage", "conflict"),
  });
}

async function test(web: Web, request: Request, name: string): Promise<Response> {
  const form = await formOf(request);
  return answerForm(web, request, form, {
    text: `The alert ${name} told it: ${await tested(web, request, name)}`,
  });
}

const verbs: Verbs = {
  async pause(web, name) {
    await web.store.alerts.pause(name);
    return { text: `The alert ${name} is paused` };
  },
  async resume(web, name) {
    await web.store.alerts.resume(name);
    return { text: `The alert ${name} goes on` };
  },
  async delete(web, name) {
    await web.store.alerts.remove(name);
    // What it was shown on is gone.
    return { text: `The alert ${name} is deleted`, to: "/alerts" };
  },
};
