// The settings: what each means, what it is now, and from where.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import type { SettingKey } from "../src/domain/settings.ts";
import { link, may, type Ui } from "./parts/ui.ts";

export interface SettingRow {
  readonly key: SettingKey;
  readonly about: string;
  readonly accepts: string;
  /** As it is typed. */
  readonly text: string;
  /** As it reads best. */
  readonly shown: string;
  readonly byDefault: string;
  readonly from: "default" | "set" | "environment";
}

export interface SettingsProps {
  readonly ui: Ui;
  readonly rows: readonly SettingRow[];
  /** A value that was refused, shown where it was typed. */
  readonly fault?: { readonly key: string; readonly text: string; readonly message: string } | undefined;
}

export function SettingsPage({ ui, rows, fault }: SettingsProps) {
  return (
    <>
      <h1>Settings</h1>
      <p class="lead">
        Workers obey a change at once. Retries, priority and timeout are fixed into a job when it is enqueued.
      </p>
      <div class="settings">
        {rows.map((row) => (
          <Setting ui={ui} row={row} fault={fault?.key === row.key ? fault : undefined} />
        ))}
      </div>
    </>
  );
}

function Setting({ ui, row, fault }: { ui: Ui; row: SettingRow; fault: SettingsProps["fault"] }) {
  const { key, about, accepts, text, shown, byDefault, from } = row;
  const change = may(ui, "operate") && from !== "environment";
  return (
    <div class="setting">
      <div class="setting-words">
        <h2 id={`name-${key}`}>{key}</h2>
        <p safe>{about}</p>
        {fault === undefined ? (
          ""
        ) : (
          <p class="fault" id={`fault-${key}`} role="alert" safe>
            {fault.message}
          </p>
        )}
      </div>
      {change ? (
        <div class="setting-form">
          <form method="post" action={link(ui, `/settings/${key}`)} class="act">
            <input
              name="value"
              id={`value-${key}`}
              value={fault?.text ?? text}
              placeholder={shown}
              aria-label={key}
              title={accepts}
              aria-invalid={fault === undefined ? undefined : "true"}
              aria-describedby={fault === undefined ? undefined : `fault-${key}`}
              size="16"
            />
            <button type="submit" class="button" aria-label={`Save ${key}`}>
              Save
            </button>
          </form>
          {from === "set" ? (
            <form method="post" action={link(ui, `/settings/${key}/unset`)} class="act">
              <button
                type="submit"
                class="button is-quiet"
                aria-label={`Default: set ${key} back to ${byDefault}`}
                title={`back to ${byDefault}`}
              >
                Default
              </button>
            </form>
          ) : (
            ""
          )}
        </div>
      ) : (
        <p class="setting-form">
          <code safe>{shown}</code>
          {from === "environment" ? <span class="hint">set by the environment of this server</span> : ""}
        </p>
      )}
    </div>
  );
}
