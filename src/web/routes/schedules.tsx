// The schedules: their list, the form that makes one, and what is done with one.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { Elysia } from "elysia";
import { timeoutText } from "../../../views/enqueue.tsx";
import { ScheduleFormPage, SchedulePreview } from "../../../views/schedule-form.tsx";
import { Schedules } from "../../../views/schedules.tsx";
import type { NewSchedule } from "../../domain/schedule.ts";
import { ownZone } from "../../domain/zone.ts";
import { timesOf } from "../../input/cron.ts";
import { readScheduleForm, type ScheduleForm, scheduleFields } from "../../input/schedule.ts";
import { jobDefaults } from "../enqueue.ts";
import { followSteps, refusedFor } from "../form-steps.ts";
import { answerForm, audited, formOf, localPath, typedIn } from "../forms.ts";
import { asking } from "../questions.tsx";
import { pageByName } from "../reads.ts";
import { resumed, runNow, scheduleOf } from "../schedules.ts";
import { fragment, type MakeScreen, type Place, page, part, placeAt, type Screen } from "../screens.tsx";
import { doing, type Verbs } from "../verbs.ts";
import { needs, type Web } from "../web.ts";
import { userName } from "./enqueue.tsx";

const screen: MakeScreen = async ({ web, ui, query }) => {
  const every = await web.shared("schedules", () => web.store.schedules.list());
  const { rows, paging } = pageByName(every, ({ name }) => name, query.get("after") ?? "");
  return { title: "Schedules", body: <Schedules ui={ui} schedules={rows} paging={paging} /> };
};

const ask = asking(async ({ web, params, query }) => {
  const { name, job } = await web.store.schedules.find(params.name!);
  return {
    title: `Delete the schedule ${name}?`,
    text: "No time of it comes any more. The jobs that it made stay.",
    about: [job.command],
    to: `/schedules/${name}/delete`,
    fields: [],
    choices: [{ word: "Delete the schedule", look: "danger" as const }],
    back: localPath(query.get("back") ?? "/schedules"),
    typed: undefined,
  };
});

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
    .post("/schedules/:name/:verb", doing(web, "schedule", verbs), needs("operate"));

const empty = typedIn(scheduleFields, new URLSearchParams());

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

const previewScreen = ({ ui }: Place, form: ScheduleForm, schedule: NewSchedule, status: number): Screen => ({
  title: "Add this schedule?",
  status,
  refreshes: false,
  body: (
    <SchedulePreview
      ui={ui}
      form={form}
      schedule={schedule}
      times={timesOf(schedule, lookedAt)}
      user={userName()}
    />
  ),
});

async function send(web: Web, request: Request): Promise<Response> {
  const fields = await formOf(request, "job");
  const form = typedIn(scheduleFields, fields);
  const place = await placeAt(web, request, "/schedules/new");
  return followSteps({
    place,
    fields,
    storing: "add",
    form: (fault) => formScreen(place, form, fault),
    read: async () => scheduleOf(web, readScheduleForm(form, await web.store.now())),
    commandOf: ({ job }) => job.command,
    look: (wanted, status) => previewScreen(place, form, wanted, status),
    store: async (wanted) => {
      await web.store.schedules.add([wanted]);
      audited(web, request, "schedule add", [wanted.name]);
      return answerForm(web, request, fields, { text: `Schedule ${wanted.name} is added`, to: "/schedules" });
    },
    isTheirs: refusedFor("usage", "conflict"),
  });
}

const verbs: Verbs = {
  async run(web, name) {
    const { id } = await runNow(web, name);
    return { text: `Job ${id} of the schedule ${name} is in the queue` };
  },
  async pause(web, name) {
    await web.store.schedules.pause(name);
    return { text: `The schedule ${name} is paused` };
  },
  async resume(web, name) {
    await resumed(web, name);
    return { text: `The schedule ${name} goes on` };
  },
  async delete(web, name) {
    await web.store.schedules.remove(name);
    return { text: `The schedule ${name} is deleted` };
  },
};
