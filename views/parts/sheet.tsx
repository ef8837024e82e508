// A table of a page.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import type { PropsWithChildren } from "@kitajs/html";

/** The word above a column and its class; a word that is `unseen` is read aloud only. */
export type Column = string | readonly [word: string, look: string];

export const actions: Column = ["Actions", "unseen"];

type SheetProps = PropsWithChildren<{
  /** What it shows, read aloud only. */
  readonly caption: string;
  readonly columns: readonly Column[];
}>;

/**
 * Its children are the rows. Where something can be done with them, a phone shows each below the other without the head, so that
 * no button lies beyond its edge; `data-word` of a cell says there what the head says elsewhere.
 */
export function Sheet({ caption, columns, children }: SheetProps) {
  return (
    <div class={columns.includes(actions) ? "sheet is-stacked" : "sheet"}>
      <table>
        <caption class="unseen" safe>
          {caption}
        </caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <Head column={column} />
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

function Head({ column }: { column: Column }) {
  const [word, look] = typeof column === "string" ? [column] : column;
  if (look === "unseen") {
    return (
      <th>
        <span class="unseen" safe>
          {word}
        </span>
      </th>
    );
  }
  return (
    <th class={look} safe>
      {word}
    </th>
  );
}
