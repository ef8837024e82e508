// A question before something that cannot be undone: a page of its own, or what a dialog shows.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { cutText } from "../src/domain/one-line.ts";
import { link, type Ui } from "./parts/ui.ts";
import { VisibleText } from "./parts/visible-text.tsx";

interface Choice {
  readonly word: string;
  readonly look: "primary" | "danger";
  readonly fields?: Readonly<Record<string, string>>;
}

export interface Question {
  readonly title: string;
  readonly text: string;
  /** Shown below as a list: ids, or what a filter says. */
  readonly about: readonly string[];
  /** Where the answer is posted to, without the base. */
  readonly to: string;
  readonly fields: readonly (readonly [string, string])[];
  readonly choices: readonly Choice[];
  /** Where to go back to, without the base. */
  readonly back: string;
  /** The number to be typed first, for what concerns very many. */
  readonly typed: number | undefined;
}

/** What is named one by one; the rest is a number. */
const mostNamed = 8;

/** A command may be long. */
const longestLine = 300;

export function Confirm({ ui, question }: { ui: Ui; question: Question }) {
  const { title, text, about, to, fields, choices, back, typed } = question;
  return (
    <section class="panel confirm">
      <h1 id="confirm-title" safe>
        {title}
      </h1>
      <p safe>{text}</p>
      {about.length === 0 ? (
        ""
      ) : (
        <ul class="named">
          {about.slice(0, mostNamed).map((line) => (
            <li>
              <VisibleText text={cutText(line, longestLine)} />
            </li>
          ))}
          {about.length > mostNamed ? <li>and {about.length - mostNamed} more</li> : ""}
        </ul>
      )}
      <form method="post" action={link(ui, to)} id="confirm">
        {fields.map(([name, value]) => (
          <input type="hidden" name={name} value={value} />
        ))}
        <input type="hidden" name="back" value={back} />
        {typed === undefined ? (
          ""
        ) : (
          <label class="field">
            Type {typed} to mean it
            <input
              name="typed"
              id="typed"
              inputmode="numeric"
              autocomplete="off"
              required
              pattern={String(typed)}
            />
          </label>
        )}
        <div class="actions">
          {choices.map(({ word, look, fields = {} }) => {
            const [[name, value] = [undefined, undefined]] = Object.entries(fields);
            return (
              <button type="submit" class={`button is-${look}`} name={name} value={value} safe>
                {word}
              </button>
            );
          })}
          <a class="button is-quiet" href={link(ui, back)} data-close="true">
            Back
          </a>
        </div>
      </form>
    </section>
  );
}
