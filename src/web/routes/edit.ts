// The form that changes a waiting job, or a dead letter that goes back into its queue, and the look at it before it is changed.

import { Elysia } from "elysia";
import type { Sending } from "../../../views/enqueue.tsx";
import type { JobEdit } from "../../domain/edit.ts";
import type { Job } from "../../domain/job.ts";
import { isoTime } from "../../domain/time.ts";
import { formLike, keptNames, readChangedForm } from "../../input/changed-form.ts";
import { formFields, type JobForm } from "../../input/job-form.ts";
import { editedMeanwhile, refuseIfEdited, refuseUnlessWaiting } from "../../store/refusals.ts";
import { editFor } from "../edit.ts";
import { followSteps, refusedFor } from "../form-steps.ts";
import { answerForm, audited, formOf, typedIn } from "../forms.ts";
import { jobShown } from "../reads.ts";
import { type MakeScreen, page, placeAt } from "../screens.tsx";
import { needs, type Web } from "../web.ts";
import { formScreen, previewScreen } from "./enqueue.tsx";

const screen: MakeScreen = async (call) => {
  const job = await jobShown(call.web, call.params.id!);
  if (job.state !== "dead") refuseUnlessWaiting(job, "edited");
  return formScreen(call, sendingOf(job, shownForm(job)));
};

const shownForm = (job: Job): JobForm => ({ ...formLike(job), run_at: isoTime(job.run_at) });

const sendingOf = (job: Job, form: JobForm): Sending => ({
  form,
  once: "",
  like: undefined,
  edits: job.id,
  seen: seenOf(job),
  kept: keptNames(job),
});

/** Tells one job from what it becomes by a change that its form would undo; that it ran, or is held, is none. */
const seenOf = (job: Job) => Bun.hash(JSON.stringify(shownForm(job))).toString(36);

export const editRoutes = (web: Web) =>
  new Elysia()
    .get("/jobs/:id/edit", page(web, screen), needs("enqueue"))
    .post("/jobs/:id/edit", ({ request, params }) => send(web, request, params.id), needs("enqueue"));

async function send(web: Web, request: Request, id: string): Promise<Response> {
  const fields = await formOf(request, "job");
  const { jobs } = web.store;
  const job = await jobShown(web, id);
  const isDead = job.state === "dead";
  const now = sendingOf(job, typedIn(formFields, fields));
  const sending = { ...now, seen: fields.get("seen") ?? now.seen };
  const place = await placeAt(web, request, `/jobs/${job.id}`);
  return followSteps({
    place,
    fields,
    storing: "enqueue",
    // Whoever was told of a change, and sends it again, means it.
    form: async (fault) =>
      formScreen(
        place,
        fault === undefined ? sending : sendingOf(await jobShown(web, id), sending.form),
        fault,
      ),
    read: async () => {
      if (!isDead) refuseUnlessWaiting(job, "edited");
      if (sending.seen !== now.seen) throw editedMeanwhile(job);
      return editFor(job, editIn(job, sending.form, await web.store.now()));
    },
    commandOf: (edit) => edit.command ?? job.command,
    look: (edit, status) => previewScreen(place, sending, { ...job, after: [], ...edit }, status),
    store: async (edit) => {
      const asSeen = (found: Job) => {
        refuseIfEdited(found, job);
        return edit;
      };
      await (isDead ? jobs.retryEdited(job.seq, asSeen) : jobs.edit(job.seq, asSeen));
      audited(web, request, isDead ? "retry, edited" : "edit", [job.id]);
      const text = `Job ${job.id} is changed${isDead ? ", and back in its queue" : ""}`;
      return answerForm(web, request, fields, { text, to: `/jobs/${job.id}` });
    },
    isTheirs: refusedFor("usage", "wrong_state", "conflict"),
  });
}

/** Fields that are left empty stay as they are, but for its key, labels, variables and rules: then it has none. */
function editIn(job: Job, form: JobForm, now: number): JobEdit {
  const changed = readChangedForm(form, shownForm(job), job, now);
  const { id: _id, held: _held, after: _after, unique: _unique, ...wanted } = changed;
  const said = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
  return { ...said, key: wanted.key ?? null, tags: wanted.tags ?? [] };
}
