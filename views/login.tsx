// The page that asks for a token.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { Fault } from "./parts/form.tsx";
import { link, type Ui } from "./parts/ui.ts";

export interface LoginProps {
  readonly ui: Ui;
  readonly fault: string | undefined;
  /** Where to go then. */
  readonly next: string;
}

export function Login({ ui, fault, next }: LoginProps) {
  return (
    <section class="panel login">
      <h1>Who is it?</h1>
      <p>
        This server cannot tell that you are the user it runs as, so it needs its token. On the machine it
        runs on, this shows it:
      </p>
      <p>
        <code>queuectl web token</code>
      </p>
      <Fault text={fault} />
      <form method="post" action={link(ui, "/login")} id="login">
        <input type="hidden" name="next" value={next} />
        <label class="field is-full">
          Token
          <input type="password" name="token" id="token" required autocomplete="current-password" autofocus />
        </label>
        <button type="submit" class="button is-primary">
          Log in
        </button>
      </form>
    </section>
  );
}
