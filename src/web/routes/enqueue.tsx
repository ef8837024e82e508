// The form that makes a job, and the look at it before it is made.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { readFileSync } from "node:fs";
import { Elysia } from "elysia";
import { EnqueuePage, type Sending, timeoutText } from "../../../views/enqueue.tsx";
import { EnqueuePreview } from "../../../views/enqueue-preview.tsx";
import { type Job, type JobRequest, type NewJob, newJob } from "../../domain/job.ts";
import { unhidden } from "../../domain/secrets.ts";
import { formLike, keptNames, readChangedForm } from "../../input/changed-form.ts";
import { formFields, readJobForm } from "../../input/job-form.ts";
import { enqueueOnce, jobDefaults } from "../enqueue.ts";
import { Problem } from "../errors.ts";
import { followSteps, refusedFor } from "../form-steps.ts";
import { answerForm, audited, formOf, typedIn } from "../forms.ts";
import { jobShown, offeredQueues } from "../reads.ts";
import { type MakeScreen, type Place, page, placeAt, type Screen } from "../screens.tsx";
import { newSecret } from "../tokens.ts";
import { needs, type Web } from "../web.ts";

const empty = typedIn(formFields, new URLSearchParams());

const screen: MakeScreen = async (call) => {
  const like = call.query.get("like");
  if (like === null) {
    const form = { ...empty, command: call.query.get("command") ?? "" };
    return formScreen(call, { form, once: newSecret(), like: undefined });
  }
  const job = await call.web.store.jobs.find(like);
  return formScreen(call, {
    form: formLike(job),
    once: newSecret(),
    like: job.id,
    kept: keptNames(job),
  });
};

/** The form, with what is wrong with it if anything is. */
export async function formScreen({ web, ui }: Place, sending: Sending, fault?: string): Promise<Screen> {
  const { priority, max_retries, timeout, cwd } = await jobDefaults(web);
  const defaults = {
    priority: String(priority),
    max_retries: String(max_retries),
    timeout: timeoutText(timeout),
    cwd,
  };
  return {
    title: sending.edits === undefined ? "New job" : `Edit job ${sending.edits}`,
    status: fault === undefined ? 200 : 422,
    refreshes: false,
    body: (
      <EnqueuePage
        ui={ui}
        sending={sending}
        defaults={defaults}
        queues={await offeredQueues(web)}
        fault={fault}
        user={userName()}
      />
    ),
  };
}

/** What would be enqueued, to be looked at. */
export const previewScreen = ({ ui }: Place, sending: Sending, job: NewJob, status: number): Screen => ({
  title: sending.edits === undefined ? "Enqueue this?" : `Make job ${sending.edits} this?`,
  status,
  refreshes: false,
  body: <EnqueuePreview ui={ui} sending={sending} job={job} user={userName()} />,
});

export const enqueueRoutes = (web: Web) =>
  new Elysia()
    .get("/enqueue", page(web, screen), needs("enqueue"))
    .post("/enqueue", ({ request }) => send(web, request), needs("enqueue"));

async function send(web: Web, request: Request): Promise<Response> {
  const fields = await formOf(request, "job");
  const like = fields.get("like") ? await jobShown(web, fields.get("like")!) : undefined;
  const sending = {
    form: typedIn(formFields, fields),
    once: fields.get("once") || newSecret(),
    like: like?.id,
    kept: like && keptNames(like),
  };
  const place = await placeAt(web, request, "/enqueue");
  return followSteps({
    place,
    fields,
    storing: "enqueue",
    form: (fault) =>
      // It belongs to one job: what is changed after a refusal is another.
      formScreen(place, fault === undefined ? sending : { ...sending, once: newSecret() }, fault),
    read: async () => {
      const wanted = await requestOf(web, sending, like);
      return { wanted, job: newJob(wanted, await jobDefaults(web)) };
    },
    commandOf: ({ job }) => job.command,
    look: ({ job }, status) => previewScreen(place, sending, job, status),
    store: ({ wanted }) => enqueue(web, request, fields, wanted, sending),
    isTheirs: (error) => refusedFor("usage", "conflict")(error) || error instanceof Problem,
  });
}

/** What stayed hidden of the job that it was copied from is taken from that. */
async function requestOf(web: Web, { form }: Sending, like: Job | undefined): Promise<JobRequest> {
  const now = await web.store.now();
  if (!like) return readJobForm(form, now);
  const wanted = readChangedForm(form, formLike(like), like, now);
  return { ...wanted, env: unhidden(wanted.env ?? {}, like.env) };
}

async function enqueue(
  web: Web,
  request: Request,
  fields: URLSearchParams,
  wanted: JobRequest,
  { once, form, like }: Sending,
): Promise<Response> {
  // As it was typed: a time such as +10m is another one whenever it is read.
  const { job, replayed, known } = await enqueueOnce(web, wanted, { key: once, said: { form, like } });
  if (!replayed && !known) audited(web, request, "enqueue", [job.id]);
  const text = known ? `Job ${job.id} is the same, and was there already` : `Job ${job.id} is in the queue`;
  return answerForm(web, request, fields, { text, to: `/jobs/${job.id}` });
}

/** The name of the user who runs this server and so its workers; Bun's own answer is what the environment says. */
export function userName(): string {
  const id = String(process.geteuid?.() ?? "");
  try {
    const users = readFileSync("/etc/passwd", "utf8").split("\n");
    return users.find((line) => line.split(":")[2] === id)?.split(":")[0] ?? id;
  } catch {
    return id;
  }
}
