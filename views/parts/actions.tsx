// Buttons that do something. Each is a form that works by itself; where scripts run, the page stays and only says what was done.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { here, link, type Ui } from "./ui.ts";

interface ActionProps {
  readonly ui: Ui;
  /** Where it is posted to, without the base. */
  readonly to: string;
  readonly word: string;
  /** Said by screen readers in place of the word, which is the same in every row. */
  readonly label?: string;
  readonly look?: "plain" | "primary" | "danger";
  readonly id?: string;
}

/** Does it at once: for what can be undone. */
export function Act({ ui, to, word, label, look = "plain", id }: ActionProps) {
  const path = link(ui, to);
  return (
    <form method="post" action={path} class="act" hx-post={path} hx-swap="none" hx-nonce={ui.nonce}>
      <input type="hidden" name="back" value={here(ui)} />
      <button type="submit" class={`button is-${look}`} aria-label={label} id={id} safe>
        {word}
      </button>
    </form>
  );
}

interface PauseOrResumeProps {
  readonly ui: Ui;
  /** The address of what is paused, without the base. */
  readonly own: string;
  readonly name: string;
  readonly paused: boolean;
}

/** One button under one id, so that the focus stays on it when it turns. */
export function PauseOrResume({ ui, own, name, paused }: PauseOrResumeProps) {
  const id = `pause-${name}`;
  return paused ? (
    <Act ui={ui} to={`${own}/resume`} word="Resume" label={`Resume ${name}`} id={id} />
  ) : (
    <Act ui={ui} to={`${own}/pause`} word="Pause" label={`Pause ${name}`} id={id} />
  );
}

interface AskProps extends Omit<ActionProps, "to"> {
  /** The page that asks, without the base: what follows `/confirm/`. */
  readonly about: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
}

/** Asks first: a link to a page with the question, which scripts show as a dialog. */
export function Ask({ ui, about, query = {}, word, label, look = "plain", id }: AskProps) {
  const asked = { ...query, back: here(ui) };
  return (
    <a
      class={`button is-${look}`}
      href={link(ui, `/confirm/${about}`, asked)}
      aria-label={label}
      id={id}
      hx-get={link(ui, `/p/confirm/${about}`, asked)}
      hx-target="#dialog"
      hx-nonce={ui.nonce}
      safe
    >
      {word}
    </a>
  );
}
