// An alert as the API and a form in a browser describe it, and the shapes in which the API gives it.

import { z } from "zod";
import {
  alertEvents,
  type Channel,
  channels,
  checkAlert,
  defaultGather,
  type NewAlert,
  newSecret,
  readEvents,
} from "../domain/alert.ts";
import { parseDuration } from "../domain/duration.ts";
import { misuse } from "../domain/errors.ts";
import { oneOf } from "../domain/one-of.ts";
import { listOf, moment, momentOrNull, readBody } from "./api.ts";

export const alertBody = z.strictObject({
  name: z.string(),
  on: z.array(z.enum(alertEvents)),
  queue: z.string().optional(),
  tag: z.string().optional(),
  longer_than: z.number().optional(),
  more_than: z.number().optional(),
  older_than: z.number().optional(),
  gather: z.number().optional(),
  by: z.enum(channels),
  to: z.string(),
  secret: z.string().optional(),
  cwd: z.string().optional(),
});

/** `cwd`: where a command runs that does not say. */
export function readAlert(value: unknown, cwd: string): NewAlert {
  const body = readBody(alertBody, value);
  if (body.secret !== undefined && body.by !== "webhook")
    throw misuse("secret is for webhooks: nothing else is signed");
  return checkAlert({
    name: body.name,
    events: readEvents(body.on),
    queue: body.queue ?? null,
    tag: body.tag ?? null,
    longer_than: body.longer_than ?? null,
    more_than: body.more_than ?? null,
    older_than: body.older_than ?? null,
    gather: body.gather ?? defaultGather,
    channel: body.by,
    target: body.to,
    ...ownOf(body.by, body.secret, body.cwd ?? cwd),
  });
}

/** What only some ways have. */
const ownOf = (channel: Channel, secret: string | undefined, cwd: string) => ({
  secret: channel === "webhook" ? (secret ?? newSecret()) : null,
  cwd: channel === "command" ? cwd : null,
});

export const alertFields = [
  "name",
  "dead",
  "completed",
  "slow",
  "backlog",
  "queue",
  "tag",
  "longer_than",
  "more_than",
  "older_than",
  "gather",
  "by",
  "to",
  "cwd",
] as const;

/** The events are ticked, and then not empty. */
export type AlertForm = Readonly<Record<(typeof alertFields)[number], string>>;

export function readAlertForm(form: AlertForm, cwd: string): NewAlert {
  const text = (field: keyof AlertForm) => form[field].trim() || null;
  const channel = oneOf("by", form.by || "webhook", channels);
  return checkAlert({
    name: form.name.trim(),
    events: alertEvents.filter((event) => form[event] !== ""),
    queue: text("queue"),
    tag: text("tag"),
    longer_than: durationIn(form, "longer_than"),
    more_than: numberIn(form, "more_than"),
    older_than: durationIn(form, "older_than"),
    gather: durationIn(form, "gather") ?? defaultGather,
    channel,
    target: form.to.trim(),
    ...ownOf(channel, undefined, text("cwd") ?? cwd),
  });
}

function numberIn(form: AlertForm, field: "more_than"): number | null {
  const text = form[field].trim();
  if (text === "") return null;
  if (!/^\d+$/.test(text)) throw misuse(`${field} cannot be ${JSON.stringify(text)}: it is a whole number`);
  return Number(text);
}

function durationIn(form: AlertForm, field: "longer_than" | "older_than" | "gather"): number | null {
  const text = form[field].trim();
  if (text === "") return null;
  const value = parseDuration(text);
  if (value === undefined)
    throw misuse(`${field} cannot be ${JSON.stringify(text)}: it is a duration such as 10m`);
  return value;
}

const delivery = z.strictObject({
  id: z.string(),
  event: z.enum(alertEvents),
  state: z.enum(["waiting", "sent", "given_up"]),
  tries: z.int(),
  created_at: moment,
  tried_at: momentOrNull,
  next_try_at: momentOrNull,
  answer: z.string().nullable(),
  message: z.looseObject({ type: z.string(), timestamp: moment, text: z.string() }),
});

export const alert = z
  .strictObject({
    name: z.string(),
    on: z.array(z.enum(alertEvents)),
    queue: z.string().nullable(),
    tag: z.string().nullable(),
    longer_than: z.number().nullable(),
    more_than: z.int().nullable(),
    older_than: z.number().nullable(),
    gather: z.number(),
    by: z.enum(channels),
    to: z.string(),
    cwd: z.string().nullable(),
    paused: z.boolean(),
    untold: z.int(),
    waiting: z.int(),
    given_up: z.int(),
    last: delivery.nullable(),
    created_at: moment,
    updated_at: moment,
  })
  .meta({ id: "Alert" });

export const alerts = listOf(alert).meta({ id: "Alerts" });

/** The secret is told this once, and only where it was made here. */
export const addedAlert = alert.extend({ secret: z.string().optional() }).meta({ id: "AddedAlert" });

export const alertWithDeliveries = alert
  .extend({ deliveries: z.array(delivery) })
  .meta({ id: "AlertWithDeliveries" });

export const testAnswer = z.strictObject({ answer: z.string() }).meta({ id: "TestAnswer" });
