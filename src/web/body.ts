// The text that a request brings, of no more bytes than what it asks for can need.

import { formatSize } from "../domain/size.ts";
import { Problem } from "./errors.ts";

/** Bytes, by what is read. A job is a command, its environment, and what escaping makes of them. */
const most = { login: 4 * 1024, form: 64 * 1024, json: 64 * 1024, job: 2 * 1024 ** 2 };

export type BodyKind = keyof typeof most;

/**
 * What no request may bring at all. Bun refuses it without a word of why, so it lies far above what is refused here; of a body that
 * nobody reads nothing is kept.
 */
export const mostOfAll = 1024 ** 3;

export async function bodyText(request: Request, kind: BodyKind): Promise<string> {
  if (Number(request.headers.get("content-length") ?? 0) > most[kind]) throw tooLong(kind);
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of request.body ?? []) {
    bytes += piece.length;
    if (bytes > most[kind]) throw tooLong(kind);
    pieces.push(piece);
  }
  return textOf(Buffer.concat(pieces));
}

/** Bytes that are not UTF-8 are refused: with something else in their place it would be another command. */
function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Problem(400, "text", "the body is not UTF-8");
  }
}

const tooLong = (kind: BodyKind) =>
  new Problem(413, "too-long", `the body is longer than the ${formatSize(most[kind])} that are read here`);
