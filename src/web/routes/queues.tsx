// The queues: their list, a queue's limits, pause and resume.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { Elysia } from "elysia";
import { limitFields, limitTexts, QueuePage, Queues } from "../../../views/queues.tsx";
import { Refusal } from "../../domain/errors.ts";
import { checkQueue } from "../../domain/job.ts";
import { readConcurrency, readRate } from "../../domain/queue.ts";
import { answerForm, audited, formOf, typedIn } from "../forms.ts";
import { pauseOrResume, queueOf } from "../queues.ts";
import { pageByName, queues, servers, workers } from "../reads.ts";
import { type MakeScreen, page, pageReply, part, placeAt, type Screen } from "../screens.tsx";
import { needs, type Web } from "../web.ts";

const listScreen: MakeScreen = async ({ web, ui, query }) => {
  const [every, all] = await Promise.all([queues(web), workers(web)]);
  const { rows, paging } = pageByName(every, ({ queue }) => queue, query.get("after") ?? "");
  const servedBy = Object.fromEntries(rows.map((row) => [row.queue, servers(row, all)]));
  return { title: "Queues", body: <Queues ui={ui} queues={rows} servedBy={servedBy} paging={paging} /> };
};

const limitsScreen: MakeScreen = async ({ web, ui, params }): Promise<Screen> => {
  const queue = await queueOf(web, params.queue!);
  return {
    title: `Queue ${queue.queue}`,
    refreshes: false,
    body: <QueuePage ui={ui} name={queue.queue} texts={limitTexts(queue)} fault={undefined} />,
  };
};

export const queueRoutes = (web: Web) =>
  new Elysia()
    .get("/queues", page(web, listScreen), needs("read"))
    .get("/p/queues", part(web, listScreen), needs("read"))
    .get("/queues/:queue", page(web, limitsScreen), needs("operate"))
    .post(
      "/queues/:queue/limits",
      ({ request, params }) => limit(web, request, params.queue),
      needs("operate"),
    )
    .post("/queues/:queue/:verb", ({ request, params }) => act(web, request, params), needs("operate"));

/** An empty field is no limit. One that is as it was opened changes nothing: somebody else may have set that limit since. */
async function limit(web: Web, request: Request, name: string): Promise<Response> {
  checkQueue(name);
  const form = await formOf(request);
  const typed = (field: string) => form.get(field)?.trim() ?? "";
  const isChanged = (field: string) => typed(field) !== form.get(`${field}_was`);
  try {
    await web.store.queues.limit(name, {
      ...(isChanged("concurrency") && { concurrency: readConcurrency(typed("concurrency") || "none") }),
      ...(isChanged("rate") && { rate: readRate(typed("rate") || "none") }),
    });
  } catch (error) {
    if (!(error instanceof Refusal) || error.kind !== "usage") throw error;
    const place = await placeAt(web, request, `/queues/${name}`);
    const texts = typedIn(limitFields, form);
    const body = <QueuePage ui={place.ui} name={name} texts={texts} fault={`${error.message}.`} />;
    return pageReply(place, { title: `Queue ${name}`, status: 422, refreshes: false, body });
  }
  audited(web, request, "queue set", [name]);
  return answerForm(web, request, form, { text: `The limits of the queue ${name} are set`, to: "/queues" });
}

const words = { pause: "is paused", resume: "goes on" } as const;

async function act(
  web: Web,
  request: Request,
  { queue, verb }: { readonly queue: string; readonly verb: string },
): Promise<Response> {
  const form = await formOf(request);
  if (verb !== "pause" && verb !== "resume")
    throw new Refusal("not_found", `nothing is called ${JSON.stringify(verb)} here`);
  await pauseOrResume(web, queue, verb);
  audited(web, request, `queue ${verb}`, [queue]);
  return answerForm(web, request, form, { text: `The queue ${queue} ${words[verb]}` });
}
