// The head of a page: what it is, and what can be done on it.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import type { PropsWithChildren } from "@kitajs/html";
import { link, may, type Ui } from "./ui.ts";

/** Its children are what can be done. */
export function PageHead({ title, children }: PropsWithChildren<{ title: string }>) {
  return (
    <div class="page-head">
      <h1 safe>{title}</h1>
      <span class="spring" />
      {children}
    </div>
  );
}

/** Leads to a form, for those who may send it. */
export function NewLink({ ui, to, word, id }: { ui: Ui; to: string; word: string; id: string }) {
  if (!may(ui, "enqueue")) return "";
  return (
    <a class="button is-primary" href={link(ui, to)} id={id} safe>
      {word}
    </a>
  );
}
