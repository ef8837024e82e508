// One job: its page, its output, and what can be done to it.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { Elysia } from "elysia";
import type { Question } from "../../../views/confirm.tsx";
import { JobPage } from "../../../views/job.tsx";
import type { LogPart } from "../../../views/parts/log.tsx";
import type { Attempt } from "../../domain/attempt.ts";
import { isWaiting, type Job } from "../../domain/job.ts";
import { type Stream, streamsOf } from "../../domain/rules.ts";
import { whyText } from "../../domain/why.ts";
import type { JobHistory } from "../../store/jobs.ts";
import { openJobLog } from "../../store/logs.ts";
import type { JobChange } from "../../store/matching.ts";
import { noSuchJob } from "../../store/refusals.ts";
import { isOrphan, whyFacts } from "../../store/why.ts";
import { Problem } from "../errors.ts";
import { numberOf } from "../filters.ts";
import { answerForm, audited, formOf, localPath } from "../forms.ts";
import { findInLog } from "../log-search.ts";
import { withoutSecrets } from "../log-secrets.ts";
import { readWindow } from "../log-window.ts";
import { asking } from "../questions.tsx";
import { jobShown, mostRelatives, workers } from "../reads.ts";
import { goTo } from "../reply.ts";
import { type Call, fragment, type MakeScreen, page, part } from "../screens.tsx";
import { needs, type Web } from "../web.ts";
import { changeOne } from "./jobs.tsx";

export const historyOf = (web: Web, id: string) =>
  web.shared(`history ${id}`, () => web.store.jobs.history(id));

/** What is open goes on with this very job: where it is gone, another one's id may begin so. */
export async function historyShown(web: Web, id: string): Promise<JobHistory> {
  const found = await historyOf(web, id);
  if (found.job.id !== id) throw noSuchJob(id);
  return found;
}

const screen: MakeScreen = async ({ web, ui, params, query }) => {
  const { job, attempts } = await historyShown(web, params.id!);
  const log = await logOf(web, job, attempts, query);
  const origin = await web.shared(`origin ${job.seq}`, () => web.store.schedules.originOf(job.seq));
  return {
    title: `Job ${job.id}`,
    body: (
      <JobPage
        ui={ui}
        job={job}
        attempts={attempts}
        log={log}
        enqueuedBy={web.audit.enqueuedBy(job)}
        origin={origin}
        why={await whyOf(web, job)}
        relatives={
          await web.shared(`relatives ${job.seq}`, () => web.store.jobs.relatives(job.seq, mostRelatives))
        }
      />
    ),
  };
};

/** Undefined of a job that has ended, or that runs as it should. */
async function whyOf(web: Web, job: Job): Promise<string | undefined> {
  const all = await workers(web);
  if (!isWaiting(job.state) && !(await isOrphan(web.store, job, all))) return undefined;
  return web.shared(`why ${job.seq}`, async () => whyText(job, await whyFacts(web.store, job, all)));
}

/** The attempt that a query names, or the newest; undefined when it never ran. */
export function attemptOf(attempts: readonly Attempt[], query: URLSearchParams): Attempt | undefined {
  const number = numberOf(query, "attempt");
  if (number === undefined) return attempts.at(-1);
  const found = attempts.find((attempt) => attempt.number === number);
  if (!found) throw new Problem(404, "no-attempt", `this job has no attempt ${number}`);
  return found;
}

/** Which stream a query names, of a job that keeps them apart. */
export function streamOf({ rules }: Job, query: URLSearchParams): Stream {
  const named = query.get("stream");
  const found = streamsOf(rules).find((one) => one === (named ?? "stdout"));
  if (!found) throw new Problem(404, "no-stream", "this job has no such stream of its own");
  return found;
}

/** A text that is looked for is cut here. */
const longestFind = 200;

async function logOf(
  web: Web,
  job: Job,
  attempts: readonly Attempt[],
  query: URLSearchParams,
): Promise<LogPart | undefined> {
  const attempt = attemptOf(attempts, query);
  if (!attempt) return undefined;
  const [from, to, line] = [numberOf(query, "from"), numberOf(query, "to"), numberOf(query, "line")];
  const isLive = attempt.result === null && (from ?? to ?? line) === undefined;
  const stream = streamOf(job, query);
  using log = openJobLog(web, job.seq, attempt.number, stream);
  const shown = log && withoutSecrets(log, job, web);
  const window = await readWindow(shown, { from, to, line, rest: !isLive });
  const text = query.get("find")?.slice(0, longestFind) ?? "";
  const search =
    text === "" ? undefined : { text, ...(await findInLog(shown, text, numberOf(query, "past") ?? 0)) };
  return {
    ...window,
    stream,
    attempt: attempt.number,
    isLive,
    isCut: attempt.log_left_out === null,
    isGone: log === undefined && attempt.log_bytes > 0,
    search,
  };
}

export const jobRoutes = (web: Web) =>
  new Elysia()
    .get(
      "/jobs/:id",
      async ({ request, params }) => {
        const { id } = (await historyOf(web, params.id)).job;
        if (id !== params.id) return goTo(`${web.base}/jobs/${id}${new URL(request.url).search}`);
        return page(web, screen)({ request, params });
      },
      needs("read"),
    )
    .get("/p/jobs/:id", part(web, screen), needs("read"))
    .post("/jobs/:id/retry", ({ request, params }) => act(web, request, params.id, "retry"), needs("operate"))
    .post(
      "/jobs/:id/cancel",
      ({ request, params }) => act(web, request, params.id, "cancel"),
      needs("operate"),
    )
    .post("/jobs/:id/hold", ({ request, params }) => act(web, request, params.id, "hold"), needs("operate"))
    .post(
      "/jobs/:id/release",
      ({ request, params }) => act(web, request, params.id, "release"),
      needs("operate"),
    )
    .post(
      "/jobs/:id/delete",
      ({ request, params }) => act(web, request, params.id, "delete"),
      needs("operate"),
    )
    .get("/confirm/cancel/:id", page(web, ask("cancel")), needs("operate"))
    .get("/p/confirm/cancel/:id", fragment(web, ask("cancel")), needs("operate"))
    .get("/confirm/delete/:id", page(web, ask("delete")), needs("operate"))
    .get("/p/confirm/delete/:id", fragment(web, ask("delete")), needs("operate"));

const ask = (change: "cancel" | "delete") => asking((call) => questionOf(call, change));

async function questionOf({ web, params, query }: Call, change: "cancel" | "delete"): Promise<Question> {
  const job = await jobShown(web, params.id!);
  const isRunning = job.state === "processing";
  const own = `/jobs/${job.id}`;
  const back = localPath(query.get("back") ?? own);
  return {
    title: `${change === "cancel" ? "Cancel" : "Delete"} job ${job.id}?`,
    text:
      change === "delete"
        ? "It goes with its history and its output, for good."
        : isRunning
          ? "Its command runs now and will be ended, with all it started."
          : "It will not run any more, unless somebody retries it.",
    about: [job.command],
    to: `${own}/${change}`,
    fields: [],
    choices: [{ word: change === "cancel" ? "Cancel the job" : "Delete the job", look: "danger" }],
    back: change === "delete" && back === own ? "/jobs" : back,
    typed: undefined,
  };
}

const said: Readonly<Record<JobChange, (job: Job, changed: Job | undefined) => string>> = {
  retry: (job) => `Job ${job.id} is back in its queue`,
  cancel: (job, changed) =>
    `Job ${job.id} is ${changed?.state === "processing" ? "being ended" : "cancelled"}`,
  delete: (job) => `Job ${job.id} is deleted`,
  hold: (job) => `Job ${job.id} is held`,
  release: (job) => `Job ${job.id} is released`,
};

async function act(web: Web, request: Request, id: string, change: JobChange): Promise<Response> {
  const form = await formOf(request);
  const job = await jobShown(web, id);
  const changed = await changeOne(web, change, job);
  audited(web, request, change, [job.id]);
  return answerForm(web, request, form, { text: said[change](job, changed) });
}
