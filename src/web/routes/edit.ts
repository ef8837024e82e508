// The form that changes a waiting job, or a dead letter that goes back into its queue, and the look at it before it is changed.

import { Elysia } from "elysia";
import type { Sending } from "../../../views/enqueue.tsx";
import { unseenCharacters } from "../../../views/parts/visible-text.tsx";
import type { JobEdit } from "../../domain/edit.ts";
import { Refusal } from "../../domain/errors.ts";
import type { Job } from "../../domain/job.ts";
import { isoTime } from "../../domain/time.ts";
import { type JobForm, readJobForm } from "../../input/job-form.ts";
import { refuseUnlessWaiting } from "../../store/refusals.ts";
import { editFor, editOne, retryEdited } from "../edit.ts";
import { answerForm, audited, formOf } from "../forms.ts";
import { type MakeScreen, page, pageReply } from "../screens.tsx";
import { needs, uiFor, type Web } from "../web.ts";
import { formIn, formLike, formScreen, previewScreen } from "./enqueue.tsx";

const screen: MakeScreen = async (call) => {
  const job = await call.web.store.jobs.find(call.params.id!);
  if (job.state !== "dead") refuseUnlessWaiting(job, "edited");
  return formScreen(call, sendingOf(job, { ...formLike(job), run_at: isoTime(job.run_at) }));
};

const sendingOf = (job: Job, form: JobForm): Sending => ({ form, key: "", like: undefined, edits: job.id });

export const editRoutes = (web: Web) =>
  new Elysia()
    .get("/jobs/:id/edit", page(web, screen), needs("enqueue"))
    .post("/jobs/:id/edit", ({ request, params }) => send(web, request, params.id), needs("enqueue"));

/** The form leads to a look at what it says, and that to the changed job, or back to the form. */
async function send(web: Web, request: Request, id: string): Promise<Response> {
  const fields = await formOf(request, "job");
  const job = await web.store.jobs.find(id);
  const sending = sendingOf(job, formIn(fields));
  const step = fields.get("step") ?? "look";
  const place = { web, ui: { ...(await uiFor(web, request)), path: `/jobs/${job.id}` } };
  if (step === "change") return pageReply(place, await formScreen(place, sending));
  try {
    const isDead = job.state === "dead";
    if (!isDead) refuseUnlessWaiting(job, "edited");
    const edit = editFor(job, editIn(sending.form, await web.store.now()));
    const edited = { ...job, after: [], ...edit };
    if (step !== "enqueue") return pageReply(place, previewScreen(place, sending, edited));
    if (unseenCharacters(edited.command).length > 0 && fields.get("sure") !== "yes") {
      return pageReply(place, previewScreen(place, sending, edited, 422));
    }
    await (isDead ? retryEdited : editOne)(web, job, edit);
    audited(web, request, isDead ? "retry, edited" : "edit", [job.id]);
    const text = `Job ${job.id} is changed${isDead ? ", and back in its queue" : ""}`;
    return answerForm(web, request, fields, { text, to: `/jobs/${job.id}` });
  } catch (error) {
    if (!(error instanceof Refusal) || (error.kind !== "usage" && error.kind !== "wrong_state")) throw error;
    return pageReply(place, await formScreen(place, sending, `${error.message}.`));
  }
}

/** Fields that are left empty stay as they are, but for labels, variables and rules: then it has none. */
function editIn(form: JobForm, now: number): JobEdit {
  const { id: _id, held: _held, after: _after, ...wanted } = readJobForm(form, now);
  const said = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
  return { ...said, tags: wanted.tags ?? [] };
}
