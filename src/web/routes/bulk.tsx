// What is done to very many jobs: soon done, it is answered as any form is; else by a page that tells how far it is.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { Elysia } from "elysia";
import { BulkPage } from "../../../views/bulk.tsx";
import type { BulkResult } from "../bulk.ts";
import type { BulkRun, BulkWish } from "../bulk-runs.ts";
import { Problem } from "../errors.ts";
import { answerForm, audited, formOf } from "../forms.ts";
import { type MakeScreen, page, part } from "../screens.tsx";
import { needs, type Web } from "../web.ts";

const screen: MakeScreen = async ({ web, ui, params }) => {
  const run = runOf(web, params.id!);
  const isRunning = run.state === "running";
  return { title: run.title, body: <BulkPage ui={ui} run={run} />, reloads: isRunning, refreshes: isRunning };
};

export const bulkRoutes = (web: Web) =>
  new Elysia()
    .get("/bulk/:id", page(web, screen), needs("read"))
    .get("/p/bulk/:id", part(web, screen), needs("read"))
    .post("/bulk/:id/stop", ({ request, params }) => stop(web, request, params.id), needs("operate"));

function runOf(web: Web, id: string): BulkRun {
  const run = web.bulkRuns.find(id);
  if (run) return run;
  throw new Problem(
    404,
    "no-run",
    "this server knows nothing of that; it may have been started again",
    "what was changed until then stays changed; do it again for the rest",
  );
}

async function stop(web: Web, request: Request, id: string): Promise<Response> {
  const form = await formOf(request);
  const { title } = runOf(web, id);
  web.bulkRuns.stop(id);
  audited(web, request, "bulk stop", [], 1, title);
  return answerForm(web, request, form, { text: "It stops here" });
}

/** Longer than this nobody waits for an answer without being told how far it is. */
const patienceMs = 1000;

/** `finish` writes down what was done, and says it. */
export async function runBulk(
  web: Web,
  request: Request,
  form: URLSearchParams,
  wish: BulkWish,
  finish: (result: BulkResult) => string,
): Promise<Response> {
  const { run, ended } = web.bulkRuns.start(web, wish);
  let text: string | undefined;
  const finished = ended.finally(() => {
    text = finish(run());
  });
  await Promise.race([finished, Bun.sleep(patienceMs)]);
  if (text !== undefined) return answerForm(web, request, form, { text, to: wish.back });
  finished.catch(() => {
    // Its page says what made it fail.
  });
  return answerForm(web, request, form, { text: "Under way", to: `/bulk/${run().id}` });
}
