// The way from one page of a list to the next. Pages hang on jobs and names, not on numbers: what is added meanwhile moves nothing.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import type { PropsWithChildren } from "@kitajs/html";
import { grouped } from "./amount.ts";
import { link, type Ui } from "./ui.ts";

export interface Paging {
  /** Shows what is older than this job; undefined at the end. */
  readonly older: number | undefined;
  /** Whether this is not the newest page. */
  readonly isLater: boolean;
  readonly shown: number;
  /** How many match in all; undefined when that was not counted. */
  readonly total: number | undefined;
}

interface PagingProps extends Paging {
  readonly ui: Ui;
}

export function PagingBar({ ui, older, isLater, shown, total }: PagingProps) {
  const filter = Object.fromEntries([...ui.query].filter(([name]) => name !== "before" && name !== "notice"));
  const next = older === undefined ? undefined : link(ui, ui.path, { ...filter, before: older });
  return (
    <Bar amount={amountText(shown, total)}>
      <Way to={isLater ? link(ui, ui.path, filter) : undefined} word="Newest" />
      <Way to={next} word="Older" rel="next" />
    </Bar>
  );
}

export interface NamePaging {
  /** Shows what comes after this name; undefined at the end. */
  readonly next: string | undefined;
  /** Whether this is not the first page. */
  readonly isLater: boolean;
  readonly total: number;
}

interface NamePagingProps extends NamePaging {
  readonly ui: Ui;
  readonly shown: number;
}

/** For a list in the order of names; nothing where one page shows all of it. */
export function NamePagingBar({ ui, next, isLater, shown, total }: NamePagingProps) {
  if (!isLater && next === undefined) return "";
  return (
    <Bar amount={amountText(shown, total)}>
      <Way to={isLater ? link(ui, ui.path) : undefined} word="First" />
      <Way to={next === undefined ? undefined : link(ui, ui.path, { after: next })} word="Next" rel="next" />
    </Bar>
  );
}

function Bar({ amount, children }: PropsWithChildren<{ readonly amount: string }>) {
  return (
    <nav class="paging" aria-label="Pages">
      <span class="amount" safe>
        {amount}
      </span>
      {children}
    </nav>
  );
}

function Way({ to, word, rel }: { to: string | undefined; word: string; rel?: string }) {
  if (to === undefined) return "";
  return (
    <a class="button" rel={rel} href={to} safe>
      {word}
    </a>
  );
}

function amountText(shown: number, total: number | undefined): string {
  if (total === undefined) return `${grouped(shown)} shown`;
  return shown === total ? `${grouped(total)} in all` : `${grouped(shown)} of ${grouped(total)}`;
}
