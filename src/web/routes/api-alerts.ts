// Alerts in the HTTP API.

import { Elysia } from "elysia";
import { alertJson } from "../../domain/json.ts";
import * as shapes from "../../input/alert.ts";
import { alertWithDeliveries, tested } from "../alerts.ts";
import { audited } from "../forms.ts";
import { jsonOf } from "../json-body.ts";
import { jsonReply, shieldHeaders } from "../reply.ts";
import { needs, type Web } from "../web.ts";
import { list } from "./api.ts";

export const apiAlertRoutes = (web: Web) =>
  new Elysia({ prefix: "/api/v1/alerts" })
    .get(
      "",
      async () => jsonReply(list((await web.store.alerts.list()).map(alertJson))),
      needs("read", {
        summary: "The alerts, by name; of where they go only what everybody may see",
        answers: { 200: shapes.alerts },
      }),
    )
    .post(
      "",
      ({ request }) => add(web, request),
      needs("enqueue", {
        summary: "Add an alert. A webhook's secret, where none is given, is made and told this once",
        body: shapes.alertBody,
        answers: { 201: shapes.addedAlert },
      }),
    )
    .get(
      "/:name",
      async ({ params }) => jsonReply(await alertWithDeliveries(web, params.name)),
      needs("read", {
        summary: "One alert and its last messages",
        answers: { 200: shapes.alertWithDeliveries },
      }),
    )
    .delete(
      "/:name",
      ({ request, params }) => remove(web, request, params.name),
      needs("operate", { summary: "Delete an alert with its messages", answers: { 204: null } }),
    )
    .post(
      "/:name/pause",
      ({ request, params }) => change(web, request, params.name, "pause"),
      needs("operate", { summary: "Tell nothing until it is resumed", answers: { 200: shapes.alert } }),
    )
    .post(
      "/:name/resume",
      ({ request, params }) => change(web, request, params.name, "resume"),
      needs("operate", {
        summary: "Tell again of what happens from now on",
        answers: { 200: shapes.alert },
      }),
    )
    .post(
      "/:name/test",
      async ({ request, params }) => jsonReply({ answer: await tested(web, request, params.name) }),
      needs("operate", {
        summary: "Send a message by it at once; 502 when that was refused",
        answers: { 200: shapes.testAnswer },
      }),
    );

async function add(web: Web, request: Request): Promise<Response> {
  const body = await jsonOf(request);
  const wanted = shapes.readAlert(body, web.cwd);
  const added = await web.store.alerts.add(wanted);
  audited(web, request, "alert add", [wanted.name]);
  const given = (body as { secret?: string }).secret;
  const fresh = wanted.secret !== null && given === undefined ? { secret: wanted.secret } : {};
  return jsonReply({ ...alertJson(added), ...fresh }, 201, {
    location: `${web.base}/api/v1/alerts/${wanted.name}`,
  });
}

async function change(web: Web, request: Request, name: string, what: "pause" | "resume"): Promise<Response> {
  const changed = await web.store.alerts[what](name);
  audited(web, request, `alert ${what}`, [name]);
  return jsonReply(alertJson(changed));
}

async function remove(web: Web, request: Request, name: string): Promise<Response> {
  await web.store.alerts.remove(name);
  audited(web, request, "alert delete", [name]);
  return new Response(null, { status: 204, headers: shieldHeaders() });
}
