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
  const tokens = readTokens(home);
  const isWanted = (token: Token) => token.scopes.join() === wanted.join();
  const found = tokens.find(isWanted);
  if (found && !rotate) return found;
  const made = { text: newSecret(), scopes: wanted };
  writeTokens(home, [...tokens.filter((token) => !isWanted(token)), made]);
  return made;
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
    const stat = statSync(tokenPath(home), { throwIfNoEntry: false });
    const mark = stat ? `${stat.ino} ${stat.mtimeMs} ${stat.size} ${stat.mode}` : "";
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
