// What went wrong, in one plain sentence, and what to do about it.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { link, type Ui } from "./parts/ui.ts";

export interface ErrorProps {
  readonly ui: Ui;
  readonly title: string;
  readonly detail: string;
  readonly advice: string | undefined;
  readonly status: number;
}

export function ErrorPage({ ui, title, detail, advice, status }: ErrorProps) {
  return (
    <section class="panel trouble">
      <h1 safe>{title}</h1>
      <p class="trouble-detail" safe>
        {sentence(detail)}
      </p>
      {advice === undefined ? "" : <p safe>{sentence(advice)}</p>}
      {status === 503 ? <p class="hint">This page looks again by itself.</p> : ""}
      {status === 401 ? (
        <p>
          What you sent is not lost:{" "}
          <a href={link(ui, "/login")} target="_blank" rel="noopener">
            log in
          </a>{" "}
          in another tab, then load this page again.
        </p>
      ) : (
        ""
      )}
      <p>
        <a class="button" href={link(ui, "/")}>
          To the overview
        </a>
      </p>
    </section>
  );
}

/** A command that a text begins with is written as it is typed. */
const sentence = (text: string) => {
  const first = text.startsWith("queuectl ") ? text.charAt(0) : text.charAt(0).toUpperCase();
  return `${first}${text.slice(1)}${/[.?!]$/.test(text) ? "" : "."}`;
};
