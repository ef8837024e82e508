// The tokens that open the dashboard to whoever is not let in without one: a line each in a file that only its owner may read.

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { Refusal } from "../domain/errors.ts";
import { isScope, type Scope, scopes } from "../domain/scope.ts";
import { fileMode } from "../home.ts";

export interface Token {
  readonly text: string;
  readonly scopes: readonly Scope[];
}

/** What a server keeps of a token. */
export interface KnownToken {
  readonly digest: Buffer;
  readonly scopes: ReadonlySet<Scope>;
}

const tokenPath = (home: string) => join(home, "web-token");

export const digestOf = (text: string) => createHash("sha256").update(text).digest();

/** 32 random bytes, in letters that need no quoting. */
export const newSecret = () => randomBytes(32).toString("base64url");

function readTokens(home: string): Token[] {
  const path = tokenPath(home);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return [];
  if ((stat.mode & 0o077) !== 0) {
    throw new Refusal(
      "unusable",
      `others can read the token file ${path}`,
      `remove it (rm ${path}) and get a new token: queuectl web token`,
    );
  }
  return readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line) => {
      const [names = "", text = ""] = line.split(" ");
      return text === "" ? [] : [{ text, scopes: names.split(",").filter(isScope) }];
    });
}

/** The token with exactly these scopes, made when there is none; `rotate` replaces it. */
export function ensureToken(home: string, wanted: readonly Scope[] = scopes, rotate = false): Token {
  const isWanted = (token: Token) => token.scopes.join() === wanted.join();
  const ensured = (tokens: readonly Token[]) => (rotate ? undefined : tokens.find(isWanted));
  // Mostly there is one, and then nothing has to be written.
  const found = ensured(readTokens(home));
  if (found) return found;
  return inTurn(home, () => {
    const tokens = readTokens(home);
    const meanwhile = ensured(tokens);
    if (meanwhile) return meanwhile;
    const made = { text: newSecret(), scopes: wanted };
    writeTokens(home, [...tokens.filter((token) => !isWanted(token)), made]);
    return made;
  });
}

/** A turn is over in milliseconds; whoever has it for longer than this was killed in it. */
const longestTurnMs = 5_000;
const turnWaitMs = 10;

/** Works while nobody else changes the file, so that no token is lost that somebody was told. */
function inTurn<T>(home: string, work: () => T): T {
  const lock = `${tokenPath(home)}.lock`;
  let holder = "";
  let since = 0;
  while (!isMade(lock)) {
    const seen = markOf(lock);
    // Of time that passes here, as a clock may be set back.
    if (seen !== holder) since = performance.now();
    holder = seen;
    if (performance.now() - since > longestTurnMs) rmSync(lock, { force: true });
    else Bun.sleepSync(turnWaitMs);
  }
  try {
    return work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function isMade(path: string): boolean {
  try {
    closeSync(openSync(path, "wx", fileMode));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Another one when the file is another, or was changed; empty when there is none. */
function markOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat ? `${stat.ino} ${stat.mtimeMs} ${stat.size} ${stat.mode}` : "";
}

/** Written beside and moved into place, so that no reader sees half a file and none but the owner ever sees it. */
function writeTokens(home: string, tokens: readonly Token[]): void {
  const path = tokenPath(home);
  const draft = `${path}.${process.pid}`;
  rmSync(draft, { force: true });
  const file = openSync(draft, "wx", fileMode);
  try {
    writeSync(file, tokens.map(({ text, scopes }) => `${scopes.join(",")} ${text}\n`).join(""));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(draft, path);
}

/** The tokens as they are now; the file is read again when it was changed. */
export function tokenReader(home: string): () => readonly KnownToken[] {
  let known: readonly KnownToken[] = [];
  let seen = "";
  return () => {
    const mark = markOf(tokenPath(home));
    if (mark !== seen) {
      known = readTokens(home).map(({ text, scopes }) => ({
        digest: digestOf(text),
        scopes: new Set(scopes),
      }));
      seen = mark;
    }
    return known;
  };
}

/** The token that a text is. Compares digests, which are of one length, in a time that does not depend on what they are. */
export function verifyToken(given: string, tokens: readonly KnownToken[]): KnownToken | undefined {
  const digest = digestOf(given);
  return tokens.filter((token) => timingSafeEqual(token.digest, digest))[0];
}
