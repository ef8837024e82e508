// queuectl web token: the token that opens the dashboard to whoever is not let in without one.

import { misuse } from "../../domain/errors.ts";
import { isScope, scopes } from "../../domain/scope.ts";
import { ensureHome } from "../../home.ts";
import { ensureToken } from "../../web/tokens.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { jsonFlag, note, printJson, printLine } from "../output.ts";

export const commands: Commands = {
  "web token": {
    flags: [
      ["--scope <scope>", "A token for read, operate or enqueue only; may be repeated", "repeatable"],
      ["--rotate", "Replace it: the old one and its sessions end at once"],
      jsonFlag,
    ],
    run: webToken,
  },
};

interface TokenOptions {
  readonly scope?: readonly string[];
  readonly rotate?: boolean;
  readonly json?: boolean;
}

async function webToken(context: Context, _words: readonly string[], options: TokenOptions): Promise<number> {
  const asked = (options.scope ?? scopes).flatMap((text) => text.split(","));
  const unknown = asked.find((scope) => !isScope(scope));
  if (unknown !== undefined) {
    throw misuse(`there is no scope ${JSON.stringify(unknown)}`, `the scopes are ${scopes.join(", ")}`);
  }
  ensureHome(context.home);
  const token = ensureToken(
    context.home,
    scopes.filter((scope) => asked.includes(scope)),
    options.rotate,
  );
  await (options.json ? printJson({ token: token.text, scopes: token.scopes }) : printLine(token.text));
  if (options.rotate) note("the old token and whoever logged in with it are out");
  return done;
}
