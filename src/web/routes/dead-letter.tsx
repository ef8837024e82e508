// The dead letter queue.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { Elysia } from "elysia";
import type { Question } from "../../../views/confirm.tsx";
import { DeadLetters } from "../../../views/dead-letter.tsx";
import { amount } from "../../../views/parts/amount.ts";
import { filterOf, numberOf } from "../filters.ts";
import { audited, formOf, localPath } from "../forms.ts";
import { asking } from "../questions.tsx";
import { belowList, jobPage, stats } from "../reads.ts";
import { type Call, fragment, type MakeScreen, page, part } from "../screens.tsx";
import { needs, type Web } from "../web.ts";
import { runBulk } from "./bulk.tsx";

const screen: MakeScreen = async ({ web, ui, query }) => {
  const { search } = filterOf(query);
  const before = numberOf(query, "before");
  const [found, { dead }] = await Promise.all([jobPage(web, { state: "dead", search }, before), stats(web)]);
  return {
    title: "Dead letters",
    body: (
      <DeadLetters
        ui={ui}
        jobs={found.jobs}
        dead={dead}
        search={search}
        {...belowList(found, before, "dead letters")}
      />
    ),
  };
};

const ask = (change: "retry" | "delete") => asking((call) => questionOf(call, change));

export const deadLetterRoutes = (web: Web) =>
  new Elysia()
    .get("/dlq", page(web, screen), needs("read"))
    .get("/p/dlq", part(web, screen), needs("read"))
    .get("/confirm/retry-all", page(web, ask("retry")), needs("operate"))
    .get("/p/confirm/retry-all", fragment(web, ask("retry")), needs("operate"))
    .get("/confirm/purge", page(web, ask("delete")), needs("operate"))
    .get("/p/confirm/purge", fragment(web, ask("delete")), needs("operate"))
    .post("/dlq/retry-all", ({ request }) => act(web, request, "retry"), needs("operate"))
    .post("/dlq/purge", ({ request }) => act(web, request, "delete"), needs("operate"));

async function questionOf({ web, query }: Call, change: "retry" | "delete"): Promise<Question> {
  const [{ dead }, newest] = await Promise.all([web.store.stats.read(), web.store.matching.newest()]);
  const retry = change === "retry";
  return {
    title: retry ? `Retry all ${amount(dead, "job")}?` : `Purge all ${amount(dead, "job")}?`,
    text: retry
      ? "Each goes back to its queue with a fresh count of runs. Its history stays."
      : "They go with their history and output, for good. Jobs that die from now on are not meant.",
    about: [],
    to: retry ? "/dlq/retry-all" : "/dlq/purge",
    fields: [["newest", String(newest)]],
    choices: [{ word: retry ? "Retry all" : "Purge", look: retry ? "primary" : "danger" }],
    back: localPath(query.get("back") ?? "/dlq"),
    typed: !retry && dead > 100 ? dead : undefined,
  };
}

async function act(web: Web, request: Request, change: "retry" | "delete"): Promise<Response> {
  const form = await formOf(request);
  const wish = {
    change,
    filter: { state: "dead" as const },
    newest: numberOf(form, "newest") ?? (await web.store.matching.newest()),
    title: change === "retry" ? "Retry all dead letters" : "Purge the dead letters",
    back: localPath(form.get("back") ?? "/dlq"),
  };
  return runBulk(web, request, form, wish, (result) => {
    audited(web, request, change === "retry" ? "dlq retry-all" : "dlq purge", [], result.changed);
    return `${amount(result.changed, "job")} ${change === "retry" ? "back in the queue" : "purged"}`;
  });
}
