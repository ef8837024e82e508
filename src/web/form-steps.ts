// The way of a form whose command is looked at before it is stored: from the form to the look, and from there to what is stored, or
// back to the form. Wherever a command is stored from a page, it goes this way.

import { unseenCharacters } from "../../views/parts/visible-text.tsx";
import { Refusal, type RefusalKind } from "../domain/errors.ts";
import { type Place, pageReply, type Screen } from "./screens.tsx";

interface Steps<Wanted> {
  readonly place: Place;
  readonly fields: URLSearchParams;
  /** The step that stores it; any other leads to the look. */
  readonly storing: string;
  /** The form as it was typed, with what is wrong with it if anything is. */
  readonly form: (fault?: string) => Promise<Screen>;
  /** What it says, or a refusal. */
  readonly read: () => Promise<Wanted>;
  /** What will be run; undefined for what runs nothing, and needs no look. */
  readonly commandOf: (wanted: Wanted) => string | undefined;
  readonly look: (wanted: Wanted, status: number) => Screen;
  readonly store: (wanted: Wanted) => Promise<Response>;
  /** Whether an error is about what was typed, and goes to the form; a bug does not. */
  readonly isTheirs: (error: unknown) => error is Error;
}

export async function followSteps<Wanted>(steps: Steps<Wanted>): Promise<Response> {
  const { place, fields } = steps;
  const step = fields.get("step") ?? "look";
  if (step === "change") return pageReply(place, await steps.form());
  try {
    const wanted = await steps.read();
    const command = steps.commandOf(wanted);
    if (command !== undefined) {
      if (step !== steps.storing) return pageReply(place, steps.look(wanted, 200));
      const isMeant = unseenCharacters(command).length === 0 || fields.get("sure") === "yes";
      if (!isMeant) return pageReply(place, steps.look(wanted, 422));
    }
    return await steps.store(wanted);
  } catch (error) {
    if (!steps.isTheirs(error)) throw error;
    const advice = error instanceof Refusal && error.advice !== undefined ? ` ${error.advice}.` : "";
    return pageReply(place, await steps.form(`${error.message}.${advice}`));
  }
}

export const refusedFor =
  (...kinds: readonly RefusalKind[]) =>
  (error: unknown): error is Refusal =>
    error instanceof Refusal && kinds.includes(error.kind);
