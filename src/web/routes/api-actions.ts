// What the HTTP API changes: jobs, dead letters, workers and settings.

import { Elysia } from "elysia";
import { misuse, Refusal } from "../../domain/errors.ts";
import { shownJobJson } from "../../domain/json.ts";
import { type SettingKey, shownSetting, shownSettings } from "../../domain/settings.ts";
import * as shapes from "../../input/api.ts";
import { jobEditBody, readJobEditValue } from "../../input/job-edit.ts";
import type { JobChange } from "../../store/store.ts";
import { changeAll } from "../bulk.ts";
import { editOne, retryEdited } from "../edit.ts";
import { filterOf } from "../filters.ts";
import { audited } from "../forms.ts";
import { jsonOf, optionalJson, pointing } from "../json-body.ts";
import { jsonReply, shieldHeaders } from "../reply.ts";
import { checkScope, needs, type Web } from "../web.ts";
import { changeOne } from "./jobs.tsx";
import { raw } from "./logs.tsx";
import { ruleOf, setSetting, settingOf, unsetSetting } from "./settings.tsx";
import { countOf, queuesOf, wantedWorkers } from "./workers.tsx";

const allQuery = {
  state: "Only jobs in this state",
  queue: "Only jobs of this queue",
  tag: "Only jobs with this tag",
  q: "Only jobs with this in id or command",
  all: "Has to be `yes` when nothing else says which jobs are meant",
};

export const apiActionRoutes = (web: Web) =>
  new Elysia({ prefix: "/api/v1" })
    .delete(
      "/jobs/:id",
      ({ request, params }) => change(web, request, params.id, "delete"),
      needs("operate", { summary: "Delete a job with its history and output", answers: { 204: null } }),
    )
    .post(
      "/jobs/:id/retry",
      ({ request, params }) => change(web, request, params.id, "retry"),
      needs("operate", { summary: "Run a job now, or once more", answers: { 200: shapes.job } }),
    )
    .post(
      "/jobs/:id/cancel",
      ({ request, params }) => change(web, request, params.id, "cancel"),
      needs("operate", {
        summary: "Cancel a job; one that runs is being ended then",
        answers: { 200: shapes.job },
      }),
    )
    .post(
      "/jobs/:id/hold",
      ({ request, params }) => change(web, request, params.id, "hold"),
      needs("operate", { summary: "Keep a waiting job from running", answers: { 200: shapes.job } }),
    )
    .post(
      "/jobs/:id/release",
      ({ request, params }) => change(web, request, params.id, "release"),
      needs("operate", { summary: "Let a held job run", answers: { 200: shapes.job } }),
    )
    .patch(
      "/jobs/:id",
      ({ request, params }) => edit(web, request, params.id),
      needs("enqueue", {
        summary: "Change what a waiting job is; keys that are left out stay as they are",
        body: jobEditBody,
        answers: { 200: shapes.job },
      }),
    )
    .post(
      "/jobs/hold",
      ({ request }) => changeMany(web, request, "hold"),
      needs("operate", {
        summary: "Hold all waiting jobs that match",
        query: allQuery,
        answers: { 200: shapes.changed },
      }),
    )
    .post(
      "/jobs/release",
      ({ request }) => changeMany(web, request, "release"),
      needs("operate", {
        summary: "Release all held jobs that match",
        query: allQuery,
        answers: { 200: shapes.changed },
      }),
    )
    .post(
      "/jobs/retry",
      ({ request }) => changeMany(web, request, "retry"),
      needs("operate", {
        summary: "Retry all jobs that match",
        query: allQuery,
        answers: { 200: shapes.changed },
      }),
    )
    .post(
      "/jobs/cancel",
      ({ request }) => changeMany(web, request, "cancel"),
      needs("operate", {
        summary: "Cancel all jobs that match",
        query: allQuery,
        answers: { 200: shapes.changed },
      }),
    )
    .post(
      "/jobs/delete",
      ({ request }) => changeMany(web, request, "delete"),
      needs("operate", {
        summary: "Delete all jobs that match",
        query: allQuery,
        answers: { 200: shapes.changed },
      }),
    )
    .get(
      "/jobs/:id/attempts/:n/log",
      ({ request, params }) => raw(web, request, params.id, new URLSearchParams({ attempt: params.n })),
      needs("read", { summary: "What an attempt printed, as it is", answers: { 200: "text/plain" } }),
    )
    .post(
      "/dlq/:id/retry",
      ({ request, params }) => retryDead(web, request, params.id),
      needs("operate", {
        summary: "Retry a dead letter, with other values for the keys that the body has",
        body: jobEditBody,
        answers: { 200: shapes.job },
      }),
    )
    .delete(
      "/dlq/:id",
      ({ request, params }) => change(web, request, params.id, "delete", "dead"),
      needs("operate", { summary: "Delete a dead letter", answers: { 204: null } }),
    )
    .post(
      "/dlq/retry-all",
      ({ request }) => changeDead(web, request, "retry"),
      needs("operate", {
        summary: "Retry all dead letters, or those that match",
        query: { queue: allQuery.queue, tag: allQuery.tag, q: allQuery.q },
        answers: { 200: shapes.changed },
      }),
    )
    .post(
      "/dlq/purge",
      ({ request }) => changeDead(web, request, "delete"),
      needs("operate", { summary: "Delete all dead letters", answers: { 200: shapes.changed } }),
    )
    .post(
      "/workers",
      ({ request }) => start(web, request),
      needs("operate", {
        summary: "Start workers in the background",
        body: shapes.startBody,
        answers: { 201: shapes.workerIds },
      }),
    )
    .post(
      "/workers/stop",
      ({ request }) => stop(web, request),
      needs("operate", {
        summary: "Stop a worker, or all",
        body: shapes.stopBody,
        answers: { 202: shapes.workerIds },
      }),
    )
    .get(
      "/settings",
      async () => jsonReply(shownSettings(await web.settings())),
      needs("read", { summary: "All settings", answers: { 200: shapes.settings } }),
    )
    .get(
      "/settings/:key",
      ({ params }) => showSetting(web, settingOf(params.key)),
      needs("read", { summary: "One setting", answers: { 200: shapes.setting } }),
    )
    .put(
      "/settings/:key",
      ({ request, params }) => set(web, request, settingOf(params.key)),
      needs("operate", {
        summary: "Change a setting",
        body: shapes.settingBody,
        answers: { 200: shapes.setting },
      }),
    )
    .delete(
      "/settings/:key",
      ({ request, params }) => unset(web, request, settingOf(params.key)),
      needs("operate", { summary: "Set a setting back to its default", answers: { 200: shapes.setting } }),
    );

async function change(
  web: Web,
  request: Request,
  id: string,
  what: JobChange,
  only?: "dead",
): Promise<Response> {
  const job = await web.store.jobs.find(id);
  if (only !== undefined && job.state !== only) {
    throw new Refusal("wrong_state", `job ${job.id} is ${job.state} and is not in the dead letter queue`);
  }
  const changed = await changeOne(web, what, job);
  web.shared.forget();
  audited(web, request, what, [job.id]);
  return changed
    ? jsonReply(shownJobJson(changed))
    : new Response(null, { status: 204, headers: shieldHeaders() });
}

async function edit(web: Web, request: Request, id: string): Promise<Response> {
  const body = await jsonOf(request, "job");
  const job = await web.store.jobs.find(id);
  const edited = await pointing(async () => editOne(web, job, readJobEditValue(body, job)));
  audited(web, request, "edit", [job.id]);
  return jsonReply(shownJobJson(edited));
}

/** Who may not enqueue may not change what runs either. */
async function retryDead(web: Web, request: Request, id: string): Promise<Response> {
  const body = await optionalJson(request);
  const isEdit = typeof body !== "object" || body === null || Object.keys(body).length > 0;
  if (!isEdit) return change(web, request, id, "retry", "dead");
  checkScope(request, "enqueue");
  const job = await web.store.jobs.find(id);
  const retried = await pointing(async () => retryEdited(web, job, readJobEditValue(body, job)));
  audited(web, request, "retry, edited", [job.id]);
  return jsonReply(shownJobJson(retried));
}

async function changeMany(web: Web, request: Request, what: JobChange): Promise<Response> {
  const query = new URL(request.url).searchParams;
  const unknown = [...query.keys()].find((name) => !Object.hasOwn(allQuery, name));
  if (unknown !== undefined) throw misuse(`there is no parameter ${JSON.stringify(unknown)}`);
  const filter = filterOf(query);
  const isAll = Object.values(filter).every((value) => value === undefined);
  if (isAll && query.get("all") !== "yes")
    throw misuse("this would concern all jobs", "add ?all=yes to mean it, or say which");
  web.hold(request);
  const result = await changeAll(web, { change: what, filter, newest: await web.store.matching.newest() });
  web.shared.forget();
  audited(web, request, what, [], result.changed, `all that match ${query}`);
  return jsonReply(result);
}

async function changeDead(web: Web, request: Request, what: "retry" | "delete"): Promise<Response> {
  const query = new URL(request.url).searchParams;
  const unknown = [...query.keys()].find(
    (name) => what === "delete" || !["queue", "tag", "q"].includes(name),
  );
  if (unknown !== undefined) throw misuse(`there is no parameter ${JSON.stringify(unknown)}`);
  web.hold(request);
  const result = await changeAll(web, {
    change: what,
    filter: { ...filterOf(query), state: "dead" },
    newest: await web.store.matching.newest(),
  });
  web.shared.forget();
  audited(web, request, what === "retry" ? "dlq retry-all" : "dlq purge", [], result.changed);
  return jsonReply(result);
}

async function start(web: Web, request: Request): Promise<Response> {
  const { count = 1, queues = [] } = shapes.readBody(shapes.startBody, await optionalJson(request));
  const worker_ids = await web.processes.start(countOf(String(count)), queuesOf(queues.join(",")));
  web.shared.forget();
  audited(web, request, "worker start", worker_ids);
  return jsonReply({ worker_ids }, 201);
}

async function stop(web: Web, request: Request): Promise<Response> {
  const { id, force = false } = shapes.readBody(shapes.stopBody, await optionalJson(request));
  const worker_ids = await wantedWorkers(web, id ?? null);
  await web.store.workers.stop(worker_ids, force ? "release" : "finish");
  web.shared.forget();
  audited(web, request, "worker stop", worker_ids);
  return jsonReply({ worker_ids }, 202);
}

const showSetting = async (web: Web, key: SettingKey) =>
  jsonReply({ key, value: shownSetting(key, (await web.settings())[key]) });

async function set(web: Web, request: Request, key: SettingKey): Promise<Response> {
  const { value } = shapes.readBody(shapes.settingBody, await jsonOf(request));
  await setSetting(web, request, key, String(value));
  web.shared.forget();
  return showSetting(web, key);
}

async function unset(web: Web, request: Request, key: SettingKey): Promise<Response> {
  await unsetSetting(web, request, key);
  web.shared.forget();
  return jsonReply({ key, value: ruleOf(key).default });
}
