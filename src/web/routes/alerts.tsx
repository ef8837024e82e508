// The alerts: their list, one and its messages, the form that adds one, and what is done with one.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { Elysia } from "elysia";
import { AlertAdded, AlertFormPage, AlertPreview } from "../../../views/alert-form.tsx";
import { AlertPage, Alerts } from "../../../views/alerts.tsx";
import { Confirm } from "../../../views/confirm.tsx";
import { unseenCharacters } from "../../../views/parts/visible-text.tsx";
import { lineOf, type NewAlert, shownTarget } from "../../domain/alert.ts";
import { Refusal } from "../../domain/errors.ts";
import { type AlertForm, alertFields, readAlertForm } from "../../input/alert.ts";
import { shownDeliveries, tested } from "../alerts.ts";
import { answerForm, audited, formOf, localPath } from "../forms.ts";
import { type Call, fragment, type MakeScreen, page, pageReply, part, type Screen } from "../screens.tsx";
import { needs, uiFor, type Web } from "../web.ts";
import { userName } from "./enqueue.tsx";

const screen: MakeScreen = async ({ web, ui }) => ({
  title: "Alerts",
  body: <Alerts ui={ui} alerts={await web.shared("alerts", () => web.store.alerts.list())} />,
});

const one: MakeScreen = async ({ web, ui, params }) => {
  const alert = await web.store.alerts.find(params.name!);
  const deliveries = await web.store.alerts.deliveries(alert.name, shownDeliveries);
  return {
    title: `Alert ${alert.name}`,
    body: <AlertPage ui={ui} alert={alert} deliveries={deliveries} />,
  };
};

const ask: MakeScreen = async ({ web, ui, params, query }) => {
  const alert = await web.store.alerts.find(params.name!);
  const question = {
    title: `Delete the alert ${alert.name}?`,
    text: "It tells nothing any more. Its messages, also those that wait, go with it.",
    about: [lineOf(alert), `${alert.channel} ${shownTarget(alert)}`],
    to: `/alerts/${alert.name}/delete`,
    fields: [],
    choices: [{ word: "Delete the alert", look: "danger" as const }],
    back: localPath(query.get("back") ?? "/alerts"),
    typed: undefined,
  };
  return { title: question.title, body: <Confirm ui={ui} question={question} />, refreshes: false };
};

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
    .post("/alerts/:name/:verb", ({ request, params }) => act(web, request, params), needs("operate"));

const empty = Object.fromEntries(alertFields.map((name) => [name, ""])) as unknown as AlertForm;

/** The form, with what is wrong with it if anything is. */
async function formScreen(
  { web, ui }: Pick<Call, "web" | "ui">,
  form: AlertForm,
  fault?: string,
): Promise<Screen> {
  return {
    title: "New alert",
    status: fault === undefined ? 200 : 422,
    refreshes: false,
    body: <AlertFormPage ui={ui} form={form} cwd={web.cwd} user={userName()} fault={fault} />,
  };
}

const previewScreen = ({ ui }: Pick<Call, "ui">, form: AlertForm, alert: NewAlert, status = 200): Screen => ({
  title: "Add this alert?",
  status,
  refreshes: false,
  body: <AlertPreview ui={ui} form={form} alert={alert} user={userName()} />,
});

/** What will be run is looked at first. */
async function send(web: Web, request: Request): Promise<Response> {
  const fields = await formOf(request);
  const form = Object.fromEntries(
    alertFields.map((name) => [name, fields.get(name) ?? ""]),
  ) as unknown as AlertForm;
  const place = { web, ui: { ...(await uiFor(web, request)), path: "/alerts/new" } };
  const step = fields.get("step") ?? "look";
  if (step === "change") return pageReply(place, await formScreen(place, form));
  try {
    const wanted = readAlertForm(form, web.cwd);
    if (wanted.channel === "command") {
      const isMeant = fields.get("sure") === "yes" || unseenCharacters(wanted.target).length === 0;
      if (step !== "add") return pageReply(place, previewScreen(place, form, wanted));
      if (!isMeant) return pageReply(place, previewScreen(place, form, wanted, 422));
    }
    await web.store.alerts.add(wanted);
    web.shared.forget();
    audited(web, request, "alert add", [wanted.name]);
    const { name, secret } = wanted;
    if (secret === null)
      return answerForm(web, request, fields, { text: `Alert ${name} is added`, to: "/alerts" });
    return pageReply(place, {
      title: "Alert added",
      refreshes: false,
      body: <AlertAdded ui={place.ui} name={name} secret={secret} />,
    });
  } catch (error) {
    if (!(error instanceof Refusal) || (error.kind !== "usage" && error.kind !== "conflict")) throw error;
    const advice = error.advice === undefined ? "" : ` ${error.advice}.`;
    return pageReply(place, await formScreen(place, form, `${error.message}.${advice}`));
  }
}

const verbs: Readonly<Record<string, (web: Web, name: string) => Promise<string>>> = {
  async pause(web, name) {
    await web.store.alerts.pause(name);
    return `The alert ${name} is paused`;
  },
  async resume(web, name) {
    await web.store.alerts.resume(name);
    return `The alert ${name} goes on`;
  },
  async delete(web, name) {
    await web.store.alerts.remove(name);
    return `The alert ${name} is deleted`;
  },
};

async function act(
  web: Web,
  request: Request,
  { name, verb }: { readonly name: string; readonly verb: string },
): Promise<Response> {
  const form = await formOf(request);
  if (verb === "test") {
    const answer = await tested(web, request, name);
    return answerForm(web, request, form, { text: `The alert ${name} told it: ${answer}` });
  }
  const does = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  if (!does) throw new Refusal("not_found", `nothing is called ${JSON.stringify(verb)} here`);
  const text = await does(web, name);
  audited(web, request, `alert ${verb}`, [name]);
  // What it was shown on is gone.
  return answerForm(web, request, form, verb === "delete" ? { text, to: "/alerts" } : { text });
}
