// The way from one page of a list to the next. Pages hang on jobs, not on numbers: what is added meanwhile moves nothing.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

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
  return (
    <nav class="paging" aria-label="Pages">
      <span class="amount" safe>
        {amountText(shown, total)}
      </span>
      {isLater ? (
        <a class="button" href={link(ui, ui.path, filter)}>
          Newest
        </a>
      ) : (
        ""
      )}
      {older === undefined ? (
        ""
      ) : (
        <a class="button" rel="next" href={link(ui, ui.path, { ...filter, before: older })}>
          Older
        </a>
      )}
    </nav>
  );
}

function amountText(shown: number, total: number | undefined): string {
  const number = (value: number) => value.toLocaleString("en");
  if (total === undefined) return `${number(shown)} shown`;
  return shown === total ? `${number(total)} in all` : `${number(shown)} of ${number(total)}`;
}
