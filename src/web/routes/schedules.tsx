// The schedules: their list, the form that makes one, and what is done with one.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { Elysia } from "elysia";
import { Confirm } from "../../../views/confirm.tsx";
import { timeoutText } from "../../../views/enqueue.tsx";
import { unseenCharacters } from "../../../views/parts/visible-text.tsx";
import { ScheduleFormPage, SchedulePreview } from "../../../views/schedule-form.tsx";
import { Schedules } from "../../../views/schedules.tsx";
import { Refusal } from "../../domain/errors.ts";
import { type NewSchedule, nextTimes } from "../../domain/schedule.ts";
import { ownZone } from "../../domain/zone.ts";
import { readCron } from "../../input/cron.ts";
import { readScheduleForm, type ScheduleForm, scheduleFields } from "../../input/schedule.ts";
import { jobDefaults } from "../enqueue.ts";
import { answerForm, audited, formOf, localPath } from "../forms.ts";
import { resumed, runNow, scheduleOf } from "../schedules.ts";
import { type Call, fragment, type MakeScreen, page, pageReply, part, type Screen } from "../screens.tsx";
import { needs, uiFor, type Web } from "../web.ts";
import { userName } from "./enqueue.tsx";

const screen: MakeScreen = async ({ web, ui }) => ({
  title: "Schedules",
  body: <Schedules ui={ui} schedules={await web.shared("schedules", () => web.store.schedules.list())} />,
});

const ask: MakeScreen = async ({ web, ui, params, query }) => {
  const { name, job } = await web.store.schedules.find(params.name!);
  const question = {
    title: `Delete the schedule ${name}?`,
    text: "No time of it comes any more. The jobs that it made stay.",
    about: [job.command.length > 300 ? `${job.command.slice(0, 300)}…` : job.command],
    to: `/schedules/${name}/delete`,
    fields: [],
    choices: [{ word: "Delete the schedule", look: "danger" as const }],
    back: localPath(query.get("back") ?? "/schedules"),
    typed: undefined,
  };
  return { title: question.title, body: <Confirm ui={ui} question={question} />, refreshes: false };
};

export const scheduleRoutes = (web: Web) =>
  new Elysia()
    .get("/schedules", page(web, screen), needs("read"))
    .get("/p/schedules", part(web, screen), needs("read"))
    .get(
      "/schedules/new",
      page(web, (call) => formScreen(call, empty)),
      needs("enqueue"),
    )
    .post("/schedules", ({ request }) => send(web, request), needs("enqueue"))
    .get("/confirm/delete-schedule/:name", page(web, ask), needs("operate"))
    .get("/p/confirm/delete-schedule/:name", fragment(web, ask), needs("operate"))
    .post("/schedules/:name/:verb", ({ request, params }) => act(web, request, params), needs("operate"));

const empty = Object.fromEntries(scheduleFields.map((name) => [name, ""])) as unknown as ScheduleForm;

type Place = Pick<Call, "web" | "ui">;

/** The form, with what is wrong with it if anything is. */
async function formScreen({ web, ui }: Place, form: ScheduleForm, fault?: string): Promise<Screen> {
  const { priority, max_retries, timeout, cwd } = await jobDefaults(web);
  const defaults = {
    priority: String(priority),
    max_retries: String(max_retries),
    timeout: timeoutText(timeout),
    cwd,
    tz: ownZone(),
  };
  return {
    title: "New schedule",
    status: fault === undefined ? 200 : 422,
    refreshes: false,
    body: <ScheduleFormPage ui={ui} form={form} defaults={defaults} fault={fault} />,
  };
}

/** Times to be looked at before a schedule is made. */
const lookedAt = 5;

const previewScreen = ({ ui }: Place, form: ScheduleForm, schedule: NewSchedule, status = 200): Screen => ({
  title: "Add this schedule?",
  status,
  refreshes: false,
  body: (
    <SchedulePreview
      ui={ui}
      form={form}
      schedule={schedule}
      times={nextTimes(readCron(schedule.cron, schedule.tz).next, schedule.next_at! - 1, lookedAt)}
      user={userName()}
    />
  ),
});

/** The form leads to a look at what it says, and that to the schedule, or back to the form. */
async function send(web: Web, request: Request): Promise<Response> {
  const fields = await formOf(request, "job");
  const form = Object.fromEntries(
    scheduleFields.map((name) => [name, fields.get(name) ?? ""]),
  ) as unknown as ScheduleForm;
  const place = { web, ui: { ...(await uiFor(web, request)), path: "/schedules/new" } };
  const step = fields.get("step") ?? "look";
  if (step === "change") return pageReply(place, await formScreen(place, form));
  try {
    const wanted = await scheduleOf(web, readScheduleForm(form, await web.store.now()));
    if (step !== "add") return pageReply(place, previewScreen(place, form, wanted));
    if (unseenCharacters(wanted.job.command).length > 0 && fields.get("sure") !== "yes") {
      return pageReply(place, previewScreen(place, form, wanted, 422));
    }
    await web.store.schedules.add([wanted]);
    audited(web, request, "schedule add", [wanted.name]);
    return answerForm(web, request, fields, { text: `Schedule ${wanted.name} is added`, to: "/schedules" });
  } catch (error) {
    if (!(error instanceof Refusal) || (error.kind !== "usage" && error.kind !== "conflict")) throw error;
    const advice = error.advice === undefined ? "" : ` ${error.advice}.`;
    return pageReply(place, await formScreen(place, form, `${error.message}.${advice}`));
  }
}

const verbs: Readonly<Record<string, (web: Web, name: string) => Promise<string>>> = {
  async run(web, name) {
    const { id } = await runNow(web, name);
    return `Job ${id} of the schedule ${name} is in the queue`;
  },
  async pause(web, name) {
    await web.store.schedules.pause(name);
    return `The schedule ${name} is paused`;
  },
  async resume(web, name) {
    await resumed(web, name);
    return `The schedule ${name} goes on`;
  },
  async delete(web, name) {
    await web.store.schedules.remove(name);
    return `The schedule ${name} is deleted`;
  },
};

async function act(
  web: Web,
  request: Request,
  { name, verb }: { readonly name: string; readonly verb: string },
): Promise<Response> {
  const form = await formOf(request);
  const does = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  if (!does) throw new Refusal("not_found", `nothing is called ${JSON.stringify(verb)} here`);
  const text = await does(web, name);
  audited(web, request, `schedule ${verb}`, [name]);
  return answerForm(web, request, form, { text });
}
