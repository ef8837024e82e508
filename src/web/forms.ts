// What a form sent, and how it is answered: with the page it came from, or, where a script sent it, with what that page is to say.

import { type BodyKind, bodyText } from "./body.ts";
import { Problem } from "./errors.ts";
import { goTo, shieldHeaders } from "./reply.ts";
import { callerOf, type Web } from "./web.ts";

/** The fields of a form; anything else than a form is refused. */
export async function formOf(request: Request, kind: BodyKind = "form"): Promise<URLSearchParams> {
  const type = request.headers.get("content-type") ?? "";
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type)) {
    throw new Problem(415, "content-type", "this takes a form (application/x-www-form-urlencoded)");
  }
  return new URLSearchParams(await bodyText(request, kind));
}

/** What was typed into each of a form's fields; nothing, where it is not there. */
export const typedIn = <Name extends string>(names: readonly Name[], fields: URLSearchParams) =>
  Object.fromEntries(names.map((name) => [name, fields.get(name) ?? ""])) as Record<Name, string>;

/** A path of this server, or the first page: what a form says of where to go must not lead elsewhere. */
export const localPath = (text: string | null | undefined) =>
  text && /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(text) ? text : "/";

export interface Done {
  /** What the page says. */
  readonly text: string;
  /** Where to go; without it, back to where the form was. */
  readonly to?: string;
}

export function answerForm(web: Web, request: Request, form: URLSearchParams, { text, to }: Done): Response {
  const asked = request.headers.has("hx-request");
  if (asked && to === undefined)
    return new Response(null, { headers: { ...shieldHeaders(), ...notice(text) } });
  const path = to ?? localPath(form.get("back"));
  const [page, query = ""] = path.split("?");
  const parameters = new URLSearchParams(query);
  parameters.set("notice", web.notices.put(text));
  const place = `${web.base}${page}?${parameters}`;
  return asked ? new Response(null, { headers: { ...shieldHeaders(), "hx-redirect": place } }) : goTo(place);
}

/** Makes the page that asked by script say something. A header holds ASCII only. */
export const notice = (text: string, look: "done" | "fault" = "done"): Record<string, string> => ({
  "hx-trigger": JSON.stringify({ notice: { text, look } }).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  ),
});

/** Writes down who did what; from then on nobody is shown how it was before. */
export function audited(
  web: Web,
  request: Request,
  action: string,
  ids: readonly string[],
  count = ids.length,
  about?: string,
) {
  web.shared.forget();
  web.audit.write({
    who: callerOf(request)?.name ?? "nobody",
    address: web.addressOf(request),
    action,
    ids: ids.slice(0, 100),
    count,
    ...(about === undefined ? {} : { about }),
  });
}
