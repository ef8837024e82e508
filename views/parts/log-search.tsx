// Looking for a text in an attempt's output: the field, and the lines that were found.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { formatSize } from "../../src/domain/size.ts";
import { amount } from "./amount.ts";
import { link, type Ui } from "./ui.ts";

export interface LogSearch {
  readonly text: string;
  readonly hits: readonly { readonly number: number; readonly text: string }[];
  /** Bytes looked through so far, and how many there are. */
  readonly to: number;
  readonly size: number;
}

/** The address of a part of this attempt's output. */
export type LogAddress = (parameters: Readonly<Record<string, string | number>>) => string;

interface FindFormProps {
  readonly ui: Ui;
  readonly path: string;
  /** What of the output is looked through. */
  readonly shown: Readonly<Record<string, string | number>>;
  readonly search: LogSearch | undefined;
}

export function FindForm({ ui, path, shown, search }: FindFormProps) {
  return (
    <search>
      <form method="get" action={link(ui, path)} class="act" id="find-form">
        {Object.entries(shown).map(([name, value]) => (
          <input type="hidden" name={name} value={String(value)} />
        ))}
        <label>
          <span class="unseen">Find in the output</span>
          <input
            type="search"
            name="find"
            id="find"
            value={search?.text ?? ""}
            placeholder="Find  ( / )"
            size="16"
            maxlength="200"
            required
          />
        </label>
        <button type="submit" class="button">
          Find
        </button>
      </form>
    </search>
  );
}

export function FoundLines({ at, search }: { at: LogAddress; search: LogSearch }) {
  const { text, hits, to, size } = search;
  const lines = amount(hits.length, "line");
  const where = to < size ? `in what ends at ${formatSize(to)} of ${formatSize(size)}` : "to the end";
  return (
    <div class="found" id="found">
      <p class="more-log">
        <span role="status" safe>{`${hits.length === 0 ? "No line" : lines} with “${text}” ${where}`}</span>
        {to < size ? (
          <>
            {" · "}
            <a href={at({ find: text, past: to })}>Look on</a>
          </>
        ) : (
          ""
        )}
        {" · "}
        <a href={at({})}>Close</a>
      </p>
      {hits.length === 0 ? (
        ""
      ) : (
        <ol class="log hits" hx-ignore="true">
          {hits.map((hit) => (
            <li class="line">
              <a class="n" href={`${at({ line: hit.number })}#L${hit.number}`}>
                {hit.number}
              </a>
              <span class="t">
                <Marked text={hit.text} wanted={text} />
              </span>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}

/** A text with what was looked for marked in it. */
function Marked({ text, wanted }: { text: string; wanted: string }) {
  const lower = text.toLowerCase();
  const needle = wanted.toLowerCase();
  const parts: { text: string; isHit: boolean }[] = [];
  let from = 0;
  for (let at = lower.indexOf(needle); at >= 0; at = lower.indexOf(needle, from)) {
    parts.push({ text: text.slice(from, at), isHit: false });
    parts.push({ text: text.slice(at, at + needle.length), isHit: true });
    from = at + needle.length;
  }
  parts.push({ text: text.slice(from), isHit: false });
  return (
    <>{parts.map((part) => (part.isHit ? <mark safe>{part.text}</mark> : <span safe>{part.text}</span>))}</>
  );
}
