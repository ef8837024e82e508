// The form that makes a job.
/** @jsxImportSource @kitajs/html */

import { readFileSync } from "node:fs";
import { Elysia } from "elysia";
import { type EnqueueForm, EnqueuePage } from "../../../views/enqueue.tsx";
import { unseenCharacters } from "../../../views/parts/visible-text.tsx";
import { formatDuration } from "../../domain/duration.ts";
import { Refusal } from "../../domain/errors.ts";
import type { Job } from "../../domain/job.ts";
import { formFields, readJobForm } from "../../input/job-form.ts";
import { enqueueOnce, jobDefaults } from "../enqueue.ts";
import { Problem } from "../errors.ts";
import { answerForm, audited, formOf } from "../forms.ts";
import { queues } from "../reads.ts";
import { type Call, type MakeScreen, page, pageReply } from "../screens.tsx";
import { newSecret } from "../tokens.ts";
import { needs, uiFor, type Web } from "../web.ts";

const empty = Object.fromEntries(formFields.map((name) => [name, ""])) as unknown as EnqueueForm;

const screen: MakeScreen = async (call) => {
  const like = call.query.get("like");
  const form =
    like === null
      ? { ...empty, command: call.query.get("command") ?? "" }
      : formLike(await call.web.store.jobs.find(like));
  return screenOf(call, form, undefined, newSecret());
};

async function screenOf(
  { web, ui }: Pick<Call, "web" | "ui">,
  form: EnqueueForm,
  fault: string | undefined,
  key: string,
) {
  const { priority, max_retries, timeout, cwd } = await jobDefaults(web);
  const defaults = {
    priority: String(priority),
    max_retries: String(max_retries),
    timeout: timeout === 0 ? "none" : formatDuration(timeout),
    cwd,
  };
  return {
    title: "New job",
    status: fault === undefined ? 200 : 422,
    refreshes: false,
    body: (
      <EnqueuePage
        ui={ui}
        form={form}
        defaults={defaults}
        queues={(await queues(web)).map(({ queue }) => queue)}
        fault={fault}
        sendKey={key}
        user={userName()}
      />
    ),
  };
}

/** A form that makes another job like this one. */
const formLike = (job: Job): EnqueueForm => ({
  ...empty,
  command: job.command,
  queue: job.queue,
  priority: String(job.priority),
  max_retries: String(job.max_retries),
  timeout: String(job.timeout),
  tags: job.tags.join(", "),
  cwd: job.cwd,
  env: Object.entries(job.env)
    .map(([name, value]) => `${name}=${value}`)
    .join("\n"),
});

export const enqueueRoutes = (web: Web) =>
  new Elysia()
    .get("/enqueue", page(web, screen), needs("enqueue"))
    .post("/enqueue", ({ request }) => enqueue(web, request), needs("enqueue"));

async function enqueue(web: Web, request: Request): Promise<Response> {
  const sent = await formOf(request);
  const form = Object.fromEntries(
    formFields.map((name) => [name, sent.get(name) ?? ""]),
  ) as unknown as EnqueueForm;
  try {
    refuseUnseen(form.command, sent.get("sure") === "yes");
    const { job } = await enqueueOnce(
      web,
      readJobForm(form, await web.store.now()),
      sent.get("key") ?? undefined,
    );
    audited(web, request, "enqueue", [job.id]);
    return answerForm(web, request, sent, { text: `Job ${job.id} is in the queue`, to: `/jobs/${job.id}` });
  } catch (error) {
    const isTheirs =
      (error instanceof Refusal && (error.kind === "usage" || error.kind === "conflict")) ||
      error instanceof Problem;
    if (!isTheirs) throw error;
    const ui = { ...(await uiFor(web, request)), path: "/enqueue" };
    return pageReply({ web, ui }, await screenOf({ web, ui }, form, `${error.message}.`, newSecret()));
  }
}

/** A command that was pasted may read one way and run another; whoever means it sends it again. */
function refuseUnseen(command: string, sure: boolean): void {
  const found = unseenCharacters(command);
  if (found.length === 0 || sure) return;
  throw new Problem(
    422,
    "unseen",
    `the command contains what cannot be seen (${found.join(", ")}); look at it below`,
  );
}

/** The name of the user who runs this server and so its workers; Bun's own answer is what the environment says. */
function userName(): string {
  const id = String(process.geteuid?.() ?? "");
  try {
    const users = readFileSync("/etc/passwd", "utf8").split("\n");
    return users.find((line) => line.split(":")[2] === id)?.split(":")[0] ?? id;
  } catch {
    return id;
  }
}
