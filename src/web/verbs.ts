// What is done with a thing that has a name, an alert or a schedule, by the last word of a form's address.

import { Refusal } from "../domain/errors.ts";
import { answerForm, audited, type Done, formOf } from "./forms.ts";
import type { Web } from "./web.ts";

export type Verbs = Readonly<Record<string, (web: Web, name: string) => Promise<Done>>>;

interface Asked {
  readonly request: Request;
  readonly params: { readonly name: string; readonly verb: string };
}

/** Does it, writes down who did, and tells of it. `kind`: what the thing is. */
export const doing =
  (web: Web, kind: string, verbs: Verbs) =>
  async ({ request, params: { name, verb } }: Asked): Promise<Response> => {
    const form = await formOf(request);
    const does = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
    if (!does) throw new Refusal("not_found", `nothing is called ${JSON.stringify(verb)} here`);
    const said = await does(web, name);
    audited(web, request, `${kind} ${verb}`, [name]);
    return answerForm(web, request, form, said);
  };
