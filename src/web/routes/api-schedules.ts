// Schedules in the HTTP API.

import { Elysia } from "elysia";
import { misuse } from "../../domain/errors.ts";
import { shownJobJson, shownScheduleJson } from "../../domain/json.ts";
import { job } from "../../input/api.ts";
import * as shapes from "../../input/schedule.ts";
import { audited } from "../forms.ts";
import { jsonOf, pointing } from "../json-body.ts";
import { jsonReply, shieldHeaders } from "../reply.ts";
import { asReplacing, resumed, runNow, scheduleOf, scheduleWithRuns } from "../schedules.ts";
import { needs, type Web } from "../web.ts";
import { list } from "./api.ts";

export const apiScheduleRoutes = (web: Web) =>
  new Elysia({ prefix: "/api/v1/schedules" })
    .get(
      "",
      async () => jsonReply(list((await web.store.schedules.list()).map(shownScheduleJson))),
      needs("read", { summary: "The schedules, by name", answers: { 200: shapes.schedules } }),
    )
    .post(
      "",
      ({ request }) => add(web, request),
      needs("enqueue", {
        summary: "Add a schedule",
        body: shapes.scheduleBody,
        answers: { 201: shapes.schedule },
      }),
    )
    .put(
      "/:name",
      ({ request, params }) => put(web, request, params.name),
      needs("enqueue", {
        summary: "Add a schedule, or put it in the place of the one that has the name",
        body: shapes.scheduleBody,
        answers: { 200: shapes.schedule },
      }),
    )
    .get(
      "/:name",
      async ({ params }) => jsonReply(await scheduleWithRuns(web, params.name)),
      needs("read", {
        summary: "One schedule, its next times and its last jobs",
        answers: { 200: shapes.scheduleWithRuns },
      }),
    )
    .delete(
      "/:name",
      ({ request, params }) => remove(web, request, params.name),
      needs("operate", { summary: "Delete a schedule; its jobs stay", answers: { 204: null } }),
    )
    .post(
      "/:name/pause",
      ({ request, params }) => change(web, request, params.name, "pause"),
      needs("operate", {
        summary: "Let no time come until it is resumed",
        answers: { 200: shapes.schedule },
      }),
    )
    .post(
      "/:name/resume",
      ({ request, params }) => change(web, request, params.name, "resume"),
      needs("operate", { summary: "Go on with the next time from now", answers: { 200: shapes.schedule } }),
    )
    .post(
      "/:name/run",
      ({ request, params }) => run(web, request, params.name),
      needs("operate", { summary: "Make a job now, beside the times", answers: { 201: job } }),
    );

async function add(web: Web, request: Request): Promise<Response> {
  const body = await jsonOf(request, "job");
  const wanted = await pointing(() => scheduleOf(web, shapes.readSchedule(body)));
  const [added] = await web.store.schedules.add([wanted]);
  audited(web, request, "schedule add", [wanted.name]);
  return jsonReply(shownScheduleJson(added!), 201, {
    location: `${web.base}/api/v1/schedules/${wanted.name}`,
  });
}

async function put(web: Web, request: Request, name: string): Promise<Response> {
  const body = await jsonOf(request, "job");
  const wanted = await pointing(async () =>
    scheduleOf(web, await asReplacing(web, shapes.readSchedule(body))),
  );
  if (wanted.name !== name) throw misuse(`the body is of ${wanted.name}, and the address of ${name}`);
  const [stored] = await web.store.schedules.add([wanted], { replace: true });
  audited(web, request, "schedule put", [name]);
  return jsonReply(shownScheduleJson(stored!));
}

async function change(web: Web, request: Request, name: string, what: "pause" | "resume"): Promise<Response> {
  const changed = what === "pause" ? await web.store.schedules.pause(name) : await resumed(web, name);
  audited(web, request, `schedule ${what}`, [name]);
  return jsonReply(shownScheduleJson(changed));
}

async function run(web: Web, request: Request, name: string): Promise<Response> {
  const made = await runNow(web, name);
  audited(web, request, "schedule run", [name]);
  return jsonReply(shownJobJson(made), 201, { location: `${web.base}/api/v1/jobs/${made.id}` });
}

async function remove(web: Web, request: Request, name: string): Promise<Response> {
  await web.store.schedules.remove(name);
  audited(web, request, "schedule delete", [name]);
  return new Response(null, { status: 204, headers: shieldHeaders() });
}
