// What every view knows of its reader and of where it is shown.

import type { Scope } from "../../src/domain/scope.ts";

export interface Ui {
  /** Stands on every element that carries htmx attributes: what lacks it was not written by us, and does nothing. */
  readonly nonce: string;
  /** In front of every path; empty for none. */
  readonly base: string;
  readonly label: string | undefined;
  readonly scopes: ReadonlySet<Scope>;
  /** By a token, so that it makes sense to log out. */
  readonly loggedIn: boolean;
  readonly now: number;
  /** The page's own path, without the base. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Seconds between refreshes, 0 for none. */
  readonly refresh: number;
  readonly theme: "auto" | "light" | "dark";
  readonly notice: string | undefined;
}

/** A path of ours with its base, and the parameters that say something. */
export function link(
  ui: Ui,
  path: string,
  parameters: Readonly<Record<string, string | number | undefined>> = {},
) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== "") query.set(name, String(value));
  }
  const text = query.size > 0 ? `?${query}` : "";
  return `${ui.base}${path}${text}`;
}

/** The page itself, as a form's field says where to go back to. */
export function here(ui: Ui): string {
  const query = new URLSearchParams(ui.query);
  query.delete("notice");
  return query.size > 0 ? `${ui.path}?${query}` : ui.path;
}

export const may = (ui: Ui, scope: Scope) => ui.scopes.has(scope);
