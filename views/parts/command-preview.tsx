// A command before it is stored: what it is, whether anything in it cannot be seen, and the steps on from there. The form carries
// exactly what was typed, so that what is looked at is what is sent.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import type { PropsWithChildren } from "@kitajs/html";
import { link, type Ui } from "./ui.ts";
import { unseenCharacters, VisibleText } from "./visible-text.tsx";

type CommandPreviewProps = PropsWithChildren<{
  readonly ui: Ui;
  readonly title: string;
  readonly command: string;
  /** What the form said, by the names of its fields. */
  readonly fields: Readonly<Record<string, string>>;
  /** Where it is posted to, without the base. */
  readonly to: string;
  /** The step that stores it, and the word on its button. */
  readonly step: string;
  readonly word: string;
  /** Where Cancel leads, without the base. */
  readonly back: string;
}>;

/** Its children are what else is to be known of the command. */
export function CommandPreview(props: CommandPreviewProps) {
  const { ui, title, command, fields, to, step, word, back, children } = props;
  const unseen = unseenCharacters(command);
  return (
    <section class="panel preview">
      <h1 safe>{title}</h1>
      <pre class="command-block" tabindex="0">
        <code>
          <VisibleText text={command} />
        </code>
      </pre>
      {unseen.length === 0 ? (
        ""
      ) : (
        <p class="fault" role="alert" id="unseen" safe>
          {`The command contains what cannot be seen (${unseen.join(", ")}), marked above. Say below that you mean it.`}
        </p>
      )}
      {children}
      <form method="post" action={link(ui, to)} id="preview">
        {Object.entries(fields).map(([name, value]) => (
          <input type="hidden" name={name} value={value} />
        ))}
        {unseen.length === 0 ? (
          ""
        ) : (
          <label class="check">
            <input type="checkbox" name="sure" id="sure" value="yes" /> These characters are meant
          </label>
        )}
        <div class="actions">
          <button type="submit" class="button is-primary" name="step" value={step} id={step} autofocus safe>
            {word}
          </button>
          <button type="submit" class="button" name="step" value="change" id="change">
            Change
          </button>
          <a class="button is-quiet" href={link(ui, back)}>
            Cancel
          </a>
        </div>
      </form>
    </section>
  );
}
