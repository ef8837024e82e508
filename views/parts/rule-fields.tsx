// The part of a form that says how a job is run and judged.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import type { PropsWithChildren } from "@kitajs/html";
import { backoffs } from "../../src/domain/backoff.ts";
import { ruleNames } from "../../src/domain/rules.ts";
import { Choice, Field } from "./form.tsx";

/** What is typed of how a job is run and judged. */
export type RuleTexts = Readonly<Record<(typeof ruleNames)[number], string>>;

type RuleFieldsetProps = PropsWithChildren<{ readonly form: RuleTexts; readonly isOpen?: boolean }>;

/** What most jobs say nothing of. Its children stand before the rest of that. */
export function RuleFieldset({ form, isOpen = false, children }: RuleFieldsetProps) {
  const isSaid = ruleNames.some((name) => form[name] !== "");
  return (
    <details id="more" class="is-full" open={isSaid || isOpen}>
      <summary>More options</summary>
      <div class="fields">
        {children}
        <Field name="retry_on" value={form.retry_on} placeholder="75,100-110" />
        <Field name="dead_on" value={form.dead_on} placeholder="2" />
        <Field name="success_on" value={form.success_on} placeholder="0" />
        <Choice
          name="backoff"
          word="Backoff"
          value={form.backoff}
          options={["", ...backoffs].map((kind) => [kind, kind || "default (exponential)"])}
        />
        <Field name="backoff_base" value={form.backoff_base} placeholder="2, 30s" />
        <Field name="backoff_max" value={form.backoff_max} placeholder="1h" />
        <Choice
          name="split"
          word="Output"
          value={form.split}
          options={[
            ["", "stdout and stderr together, in order"],
            ["true", "each by itself"],
          ]}
        />
        <Field name="nice" word="Nice" value={form.nice} placeholder="0 to 19" />
        <Field name="memory" value={form.memory} placeholder="500M" />
        <Field
          name="secret_env"
          word="Secret variables"
          value={form.secret_env}
          placeholder="TOKEN, PASS=@/run/secrets/pass"
        />
      </div>
    </details>
  );
}
