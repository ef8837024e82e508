// Messages that are posted to a URL: webhooks, signed after the Standard Webhooks specification 1.0, and Slack's incoming webhooks.

import { createHmac } from "node:crypto";
import { type NewAlert, signingKey } from "../domain/alert.ts";
import { detailLines } from "../domain/alert-message.ts";
import { cutText, oneLine } from "../domain/one-line.ts";
import { hidden } from "../domain/secrets.ts";
import { version } from "../version.ts";
import {
  type Letter,
  limitOf,
  meant,
  type Reply,
  readMessage,
  refused,
  type Surroundings,
  tooLate,
} from "./send.ts";

/** `timestamp`: seconds since 1970. */
export function signatureOf(secret: string, { id, message }: Letter, timestamp: number): string {
  const signature = createHmac("sha256", signingKey(secret)!).update(`${id}.${timestamp}.${message}`);
  return `v1,${signature.digest("base64")}`;
}

export function sendWebhook(alert: NewAlert, letter: Letter, surroundings: Surroundings): Promise<Reply> {
  const timestamp = Math.floor(Date.now() / 1000);
  const signed = {
    "webhook-id": letter.id,
    "webhook-timestamp": String(timestamp),
    ...(alert.secret === null ? {} : { "webhook-signature": signatureOf(alert.secret, letter, timestamp) }),
  };
  return post(alert, letter.message, signed, surroundings);
}

/** What Slack shows of a text. */
const longestText = 3000;

/** These three begin what Slack takes for a link, a mention or an entity. */
const escapedForSlack = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

export function sendSlack(alert: NewAlert, letter: Letter, surroundings: Surroundings): Promise<Reply> {
  const message = readMessage(letter);
  const lines = [`queuectl: ${message.text}`, ...detailLines(message)];
  const text = escapedForSlack(cutText(lines.join("\n"), longestText));
  const body = JSON.stringify({ text, mrkdwn: false, unfurl_links: false, unfurl_media: false });
  return post(alert, body, {}, surroundings);
}

async function post(
  alert: NewAlert,
  body: string,
  headers: Readonly<Record<string, string>>,
  surroundings: Surroundings,
): Promise<Reply> {
  const limit = limitOf(surroundings);
  try {
    const { url, authorization } = addressOf(alert.target);
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "user-agent": `queuectl/${version}`,
        ...authorization,
        ...headers,
      },
      body,
      // A receiver that moved says so to whoever set the alert up; what is signed goes nowhere else.
      redirect: "manual",
      signal: limit,
    });
    return await replyOf(response, alert);
  } catch (error) {
    if (limit.aborted) return tooLate;
    return refused(causeOf(error));
  }
}

/** User and password of a URL go where HTTP has them. */
function addressOf(target: string): { url: URL; authorization: Record<string, string> } {
  const url = new URL(target);
  const credentials = credentialsOf(url);
  url.username = "";
  url.password = "";
  return { url, authorization: credentials === "" ? {} : { authorization: `Basic ${credentials}` } };
}

/** As HTTP sends them; empty where there are none. */
const credentialsOf = ({ username, password }: URL) =>
  username === "" && password === ""
    ? ""
    : Buffer.from(`${meant(username)}:${meant(password)}`).toString("base64");

/** Bytes of an answer that are read. */
const mostRead = 2000;
/** How long they may take. */
const longestReadMs = 1000;
/** What is kept of it. */
const longestAnswer = 200;
/** However long a receiver wants to be left alone. */
const longestPauseMs = 3_600_000;

async function replyOf(response: Response, alert: NewAlert): Promise<Reply> {
  const { ok, status, statusText, headers } = response;
  const said = oneLine(withoutTarget(await beginningOf(response), alert)).trim();
  const answer = cutText(`${status} ${statusText}${said === "" ? "" : `: ${said}`}`, longestAnswer);
  if (ok) return { kind: "accepted", answer };
  if (status >= 300 && status < 400)
    return refused(`${status} ${statusText}: it leads elsewhere, where nothing is sent to`);
  const pauseMs = pauseIn(headers.get("retry-after") ?? "");
  return {
    kind: "refused",
    answer,
    isFinal: status === 410,
    ...(pauseMs > 0 ? { retryAfterMs: Math.min(pauseMs, longestPauseMs) } : {}),
  };
}

/** What `Retry-After` says: seconds or a date. */
function pauseIn(text: string): number {
  const seconds = Number(text);
  return Number.isNaN(seconds) ? Date.parse(text) - Date.now() : seconds * 1000;
}

/** As much as there is of an answer before it is long enough, breaks off or takes too long: what counts is its status, and that is known. */
async function beginningOf({ body }: Response): Promise<string> {
  const reader = body?.getReader();
  const pieces: Uint8Array[] = [];
  // Whoever reads from what is cancelled is at its end.
  const cancel = () => void reader?.cancel().catch(() => {});
  const timer = setTimeout(cancel, longestReadMs);
  try {
    for (let bytes = 0; bytes < mostRead; ) {
      const piece = (await reader?.read())?.value;
      if (!piece) break;
      pieces.push(piece);
      bytes += piece.length;
    }
  } catch {
    // What came before is kept.
  } finally {
    clearTimeout(timer);
    cancel();
  }
  return Buffer.concat(pieces).subarray(0, mostRead).toString();
}

/** Anything shorter in an address is more likely to be a word of the answer. */
const shortestParameter = 6;

/** A receiver may repeat what it was asked, as it was sent or as it reads it. */
function withoutTarget(text: string, { target, secret }: NewAlert): string {
  const url = new URL(target);
  const { pathname, search, username, password } = url;
  const parameters = [...url.searchParams.values()].filter(({ length }) => length >= shortestParameter);
  const own = [username, password, meant(username), meant(password), credentialsOf(url)];
  const secrets = [target, secret ?? "", pathname + search, pathname, ...own, ...parameters];
  return (
    secrets
      .filter((one) => one.length > 1)
      // One that holds another, such as a key with the user's name in it, is looked for while it is whole.
      .toSorted((one, other) => other.length - one.length)
      .reduce((rest, one) => rest.replaceAll(one, hidden), text)
  );
}

/** In our own words: the runtime's contain the address. */
function causeOf(error: unknown): string {
  const { code = "" } = error as { code?: string };
  switch (code) {
    case "ConnectionRefused":
    case "ECONNREFUSED":
      return "the connection was refused";
    case "ENOTFOUND":
    case "FailedToOpenSocket":
      return "its host was not found or not reached";
    case "ConnectionClosed":
    case "ECONNRESET":
      return "the connection was closed";
    default:
      return `it could not be sent (${code || (error instanceof Error ? error.name : "unknown")})`;
  }
}
