// What forms are made of. Who asks for a thing says its name and its word; how it looks is the same everywhere.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { link, type Ui } from "./ui.ts";

/** What stands above fields whose names, as messages say them, are those of JSON and of options: said there, and of what is wrong. */
const words = {
  backoff_base: "Backoff base",
  backoff_max: "Longest delay",
  concurrency: "Jobs at once",
  dead_on: "Die at once on",
  gather: "Gathered into one message",
  longer_than: "Long is longer than",
  max_retries: "Retries",
  memory: "Most memory",
  more_than: "Backed up by more than",
  older_than: "… or for longer than",
  rate: "Starts in a time",
  retry_on: "Retry only on",
  run_at: "Not before",
  success_on: "Success on",
  unique_for: "Nor so long after it",
} as const;

type WordedName = keyof typeof words;

const isWorded = (name: string): name is WordedName => Object.hasOwn(words, name);

const inWords = (text: string) =>
  text.replace(/^(\w+)(?= cannot be )/, (name) => (isWorded(name) ? `“${words[name]}”` : name));

/** What is wrong with what was typed, if anything is. */
export function Fault({ text }: { text: string | undefined }) {
  if (text === undefined) return "";
  return (
    <p class="fault" role="alert" id="fault" safe>
      {inWords(text)}
    </p>
  );
}

/** A line of text in a form. */
type FieldProps = {
  readonly value: string;
  readonly placeholder: string;
  readonly list?: string;
} & (
  | { readonly name: WordedName; readonly word?: undefined }
  | { readonly name: string; readonly word: string }
);

export function Field({ name, word, value, placeholder, list }: FieldProps) {
  return (
    <label class="field">
      <span safe>{word ?? words[name]}</span>
      <input
        name={name}
        id={name}
        value={value}
        placeholder={placeholder}
        list={list}
        autocomplete="off"
        spellcheck="false"
      />
    </label>
  );
}

/** Of all jobs with one key one runs at a time. */
export const KeyField = ({ value }: { value: string }) => (
  <Field name="key" word="One at a time, of key" value={value} placeholder="none" />
);

interface ChoiceProps {
  readonly name: string;
  readonly word: string;
  readonly value: string;
  readonly options: readonly (readonly [value: string, shown: string])[];
}

/** One of several. */
export function Choice({ name, word, value, options }: ChoiceProps) {
  return (
    <label class="field">
      <span safe>{word}</span>
      <select name={name} id={name}>
        {options.map(([one, shown]) => (
          <option value={one} selected={one === value} safe>
            {shown}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The end of a form: `back` is where Cancel leads, without the base. */
export function FormActions({ ui, word, back }: { ui: Ui; word: string; back: string }) {
  return (
    <div class="actions">
      <button type="submit" class="button is-primary" id="submit" safe>
        {word}
      </button>
      <a class="button is-quiet" href={link(ui, back)}>
        Cancel
      </a>
    </div>
  );
}
