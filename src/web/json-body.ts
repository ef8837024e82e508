// The JSON that a request brings.

import { misuse, Refusal } from "../domain/errors.ts";
import { jobBody } from "../input/api.ts";
import { jsonFault } from "../input/json-fault.ts";
import { type BodyKind, bodyText } from "./body.ts";
import { Problem } from "./errors.ts";

export async function jsonOf(request: Request, kind: BodyKind = "json"): Promise<unknown> {
  const type = request.headers.get("content-type") ?? "";
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new Problem(415, "content-type", "this takes JSON (content-type: application/json)");
  }
  return parsed(await bodyText(request, kind));
}

/** Nothing at all is an empty object. */
export async function optionalJson(request: Request): Promise<unknown> {
  return request.body === null ? {} : await jsonOf(request);
}

/** Of what reads no body. */
export async function refuseBody(request: Request): Promise<void> {
  const text = (await bodyText(request, "json")).trim();
  if (text === "" || text === "{}") return;
  throw misuse("this reads no body", "what is meant stands in the address");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem(400, "json", `the body is broken JSON: ${jsonFault(text)}`);
  }
}

/** Adds to a refusal of a job where in its JSON the fault is. */
export async function pointing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refusal) || error.kind !== "usage") throw error;
    const key = Object.keys(jobBody.shape).find((name) => mentions(error.message, name));
    throw new Problem(422, "usage", error.message, error.advice, {
      pointer: key === undefined ? undefined : `/${key}`,
    });
  }
}

/** Messages name the key they are about; `tag "a b"` and `the environment variable` are those that say it otherwise. */
const mentions = (message: string, key: string) =>
  new RegExp(`\\b(${key}|${key === "tags" ? "tag" : key === "env" ? "environment" : key})\\b`).test(message);
