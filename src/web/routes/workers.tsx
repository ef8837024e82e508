// The workers: who they are, and what is asked of them.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { Elysia } from "elysia";
import type { Question } from "../../../views/confirm.tsx";
import { type StartTexts, Workers } from "../../../views/workers.tsx";
import { misuse, Refusal } from "../../domain/errors.ts";
import { checkQueue } from "../../domain/job.ts";
import { answerForm, audited, formOf, localPath } from "../forms.ts";
import { asking } from "../questions.tsx";
import { pageByName, workers } from "../reads.ts";
import { type Call, fragment, type MakeScreen, page, pageReply, part, placeAt } from "../screens.tsx";
import { needs, type Web } from "../web.ts";

const workersScreen: MakeScreen = async ({ web, ui, query }) => ({
  title: "Workers",
  body: <Workers ui={ui} {...(await workerPage(web, query.get("after") ?? ""))} />,
});

async function workerPage(web: Web, after = "") {
  const all = await workers(web);
  const { rows, paging } = pageByName(all, ({ id }) => id, after);
  return { workers: rows, paging, anyLives: all.some(({ state }) => state !== "dead") };
}

const ask = asking(questionOf);

export const workerRoutes = (web: Web) =>
  new Elysia()
    .get("/workers", page(web, workersScreen), needs("read"))
    .get("/p/workers", part(web, workersScreen), needs("read"))
    .get("/confirm/stop-workers", page(web, ask), needs("operate"))
    .get("/p/confirm/stop-workers", fragment(web, ask), needs("operate"))
    .post("/workers/stop", ({ request }) => stop(web, request), needs("operate"))
    .post("/workers/start", ({ request }) => start(web, request), needs("operate"));

async function questionOf({ web, query }: Call): Promise<Question> {
  const ids = await wantedWorkers(web, query.get("id"));
  const one = ids.length === 1;
  return {
    title: one ? `Stop ${ids[0]}?` : `Stop all ${ids.length} workers?`,
    text: `${one ? "It finishes" : "They finish"} what runs and then ${one ? "goes" : "go"}; or ${one ? "it gives" : "they give"} it back to the queue at once, which costs the job no attempt.`,
    about: one ? [] : ids,
    to: "/workers/stop",
    fields: ids.map((id): [string, string] => ["id", id]),
    choices: [
      { word: "Finish and stop", look: "primary", fields: { order: "finish" } },
      { word: "Stop now", look: "danger", fields: { order: "release" } },
    ],
    back: localPath(query.get("back") ?? "/workers"),
    typed: undefined,
  };
}

export async function wantedWorkers(web: Web, id: string | null): Promise<string[]> {
  const living = await livingWorkers(web);
  if (id === null) return living;
  if (!living.includes(id)) throw noSuchWorker(`there is no worker ${id}`);
  return [id];
}

const livingWorkers = async (web: Web) =>
  (await web.processes.workers()).filter(({ state }) => state !== "dead").map(({ id }) => id);

const noSuchWorker = (message: string) => new Refusal("not_found", message, "it may just have gone");

async function stop(web: Web, request: Request): Promise<Response> {
  const form = await formOf(request);
  const order = form.get("order") === "release" ? "release" : "finish";
  const living = await livingWorkers(web);
  const ids = form.getAll("id").filter((id) => living.includes(id));
  if (ids.length === 0) throw noSuchWorker("no worker that is meant is there");
  await web.store.workers.stop(ids, order);
  audited(web, request, `worker stop (${order})`, ids);
  const who = ids.length === 1 ? ids[0] : `${ids.length} workers`;
  const text =
    order === "finish" ? `Asked ${who} to finish and go` : `Asked ${who} to give back what runs and go`;
  return answerForm(web, request, form, { text, to: localPath(form.get("back") ?? "/workers") });
}

/** More than this from a browser is a slip of the finger. */
const mostStarted = 64;

async function start(web: Web, request: Request): Promise<Response> {
  const form = await formOf(request);
  const typed = { count: form.get("count") ?? "1", queues: form.get("queues") ?? "" };
  const faults = { count: faultIn(countOf, typed.count), queues: faultIn(queuesOf, typed.queues) };
  if (faults.count ?? faults.queues) return refusedStart(web, request, typed, faults);
  const ids = await web.processes.start(countOf(typed.count), queuesOf(typed.queues));
  audited(web, request, "worker start", ids);
  const text = ids.length === 1 ? `Started ${ids[0]}` : `Started ${ids.length} workers`;
  return answerForm(web, request, form, { text, to: "/workers" });
}

/** What is wrong with a text, if anything is. */
function faultIn(read: (text: string) => unknown, text: string): string | undefined {
  try {
    read(text);
  } catch (error) {
    if (error instanceof Refusal) return `${error.message}.`;
    throw error;
  }
}

async function refusedStart(
  web: Web,
  request: Request,
  typed: StartTexts,
  faults: Partial<StartTexts>,
): Promise<Response> {
  const place = await placeAt(web, request, "/workers");
  const body = <Workers ui={place.ui} {...(await workerPage(web))} typed={typed} faults={faults} />;
  return pageReply(place, { title: "Workers", status: 422, refreshes: false, body });
}

export function countOf(text: string): number {
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= mostStarted) return count;
  throw misuse(`count cannot be ${JSON.stringify(text)}: it is a whole number from 1 to ${mostStarted}`);
}

function queuesOf(text: string): string[] {
  const names = text.split(/[\s,]+/).filter((name) => name !== "");
  names.forEach(checkQueue);
  return names;
}
