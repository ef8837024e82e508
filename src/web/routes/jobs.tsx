// The list of jobs, and what is done to many of them at once.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { Elysia } from "elysia";
import type { Question } from "../../../views/confirm.tsx";
import { filterWords, Jobs } from "../../../views/jobs.tsx";
import { amount } from "../../../views/parts/amount.ts";
import { misuse, Refusal } from "../../domain/errors.ts";
import type { Job } from "../../domain/job.ts";
import { countAll } from "../../store/all-matching.ts";
import type { JobChange } from "../../store/matching.ts";
import { filterOf, numberOf } from "../filters.ts";
import { answerForm, audited, formOf, localPath } from "../forms.ts";
import { asking } from "../questions.tsx";
import { belowList, jobPage, jobShown, offeredQueues, stats } from "../reads.ts";
import { type Call, fragment, type MakeScreen, page, part } from "../screens.tsx";
import { needs, type Web } from "../web.ts";
import { runBulk } from "./bulk.tsx";

const screen: MakeScreen = async ({ web, ui, query }) => {
  const filter = filterOf(query);
  const before = numberOf(query, "before");
  const [found, counts, names] = await Promise.all([
    jobPage(web, filter, before),
    stats(web),
    offeredQueues(web),
  ]);
  return {
    title: "Jobs",
    body: (
      <Jobs
        ui={ui}
        jobs={found.jobs}
        filter={filter}
        stats={counts}
        queues={names}
        {...belowList(found, before, "jobs")}
      />
    ),
  };
};

const ask = asking(bulkQuestion);

export const jobsRoutes = (web: Web) =>
  new Elysia()
    .get("/jobs", page(web, screen), needs("read"))
    .get("/p/jobs", part(web, screen), needs("read"))
    .get("/confirm/jobs", page(web, ask), needs("operate"))
    .get("/p/confirm/jobs", fragment(web, ask), needs("operate"))
    .post("/jobs/act", ({ request }) => act(web, request), needs("operate"));

const verbs: Readonly<Record<JobChange, readonly [ask: string, done: string, left: string]>> = {
  retry: ["Run", "back in the queue", "Running ones are left alone."],
  cancel: ["Cancel", "cancelled, or being ended", "Those that have ended are left alone."],
  delete: ["Delete", "deleted, with history and output", "Running ones are left alone."],
  hold: ["Hold", "held until they are released", "Those that do not wait are left alone."],
  release: ["Release", "released", "Those that are not held are left alone."],
};

function changeOf(text: string | null): JobChange {
  if (text !== null && Object.hasOwn(verbs, text)) return text as JobChange;
  throw misuse(
    `nothing is called ${JSON.stringify(text ?? "")} here`,
    "jobs can be retried, cancelled, held, released and deleted",
  );
}

/** With so many, the number has to be typed. */
const mostUntyped = 100;

async function bulkQuestion({ web, request, query }: Call): Promise<Question> {
  const change = changeOf(query.get("do"));
  const [verb, done, left] = verbs[change];
  const back = localPath(query.get("back") ?? "/jobs");
  const look = change === "cancel" || change === "delete" ? "danger" : "primary";
  const common = { to: "/jobs/act", back, choices: [{ word: verb, look } as const] };
  if (query.get("all") === "yes") {
    web.hold(request);
    const filter = filterOf(query);
    const newest = await web.store.matching.newest();
    const count = await countAll(web.store, filter, newest);
    const words = filterWords(filter);
    return {
      ...common,
      title: `${verb} all ${amount(count, "job")}${words === "" ? "" : ` ${words}`}?`,
      text: `They will be ${done}. ${left} Jobs that are added from now on are not meant.`,
      about: [],
      fields: [
        ["do", change],
        ["all", "yes"],
        ["newest", String(newest)],
        ...Object.entries({
          state: filter.state,
          queue: filter.queue,
          tag: filter.tag,
          q: filter.search,
        }).flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, value]])),
      ],
      typed: count > mostUntyped && look === "danger" ? count : undefined,
    };
  }
  const ids = query.getAll("id");
  if (ids.length === 0) throw misuse("no row is ticked", "tick the jobs that are meant, or all that match");
  return {
    ...common,
    title: `${verb} ${amount(ids.length, "job")}?`,
    text: `${ids.length === 1 ? "It" : "They"} will be ${done}. ${left}`,
    about: ids,
    fields: [["do", change], ...ids.map((id): [string, string] => ["id", id])],
    typed: undefined,
  };
}

async function act(web: Web, request: Request): Promise<Response> {
  const form = await formOf(request);
  const change = changeOf(form.get("do"));
  const [verb, done] = verbs[change];
  if (form.get("all") === "yes") {
    const filter = filterOf(form);
    const words = filterWords(filter);
    const wish = {
      change,
      filter,
      newest: numberOf(form, "newest") ?? 0,
      title: `${verb} all jobs${words === "" ? "" : ` ${words}`}`,
      back: localPath(form.get("back")),
    };
    return runBulk(web, request, form, wish, ({ changed, left }) => {
      audited(web, request, change, [], changed, `all ${words || "jobs"}`);
      return `${amount(changed, "job")} ${done}${leftText(left)}`;
    });
  }
  const changed: string[] = [];
  let left = 0;
  try {
    left = await changeNamed(web, change, form.getAll("id"), changed);
  } finally {
    audited(web, request, change, changed);
  }
  return answerForm(web, request, form, {
    text: `${amount(changed.length, "job")} ${done}${leftText(left)}`,
    to: localPath(form.get("back")),
  });
}

const leftText = (left: number) => (left === 0 ? "" : `; ${amount(left, "job")} left alone`);

/** Jobs named one by one: what cannot be done to one does not keep it from the others. Adds to `changed`; returns how many are left. */
async function changeNamed(
  web: Web,
  change: JobChange,
  ids: readonly string[],
  changed: string[],
): Promise<number> {
  let left = 0;
  for (const id of ids) {
    try {
      await changeOne(web, change, await jobShown(web, id));
      changed.push(id);
    } catch (error) {
      if (!(error instanceof Refusal) || error.kind === "unavailable" || error.kind === "unusable")
        throw error;
      left++;
    }
  }
  return left;
}

/** One job, refused where it cannot be done. */
export async function changeOne(
  web: Web,
  change: JobChange,
  { seq }: Pick<Job, "seq">,
  only?: "dead",
): Promise<Job | undefined> {
  const { jobs } = web.store;
  if (change === "delete") {
    web.processes.removeLogs(await jobs.delete([seq], only));
    return undefined;
  }
  const [job] = await (change === "retry" ? jobs.retry([seq], only) : jobs[change]([seq]));
  if (change === "cancel" && job?.state === "processing") await web.processes.endCancelled([job]);
  return job;
}
