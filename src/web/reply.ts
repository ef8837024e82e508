// Answers: each with the headers that keep a browser from doing anything the dashboard did not mean.

import { newSecret } from "./tokens.ts";

/** No script, style, frame or form but our own; markup that carries htmx attributes must know the page's nonce (hx-csp). */
const pagePolicy = (nonce: string) =>
  [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}'`,
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types htmx",
  ].join("; ");

/** What is no page must not become one. */
const dataPolicy = "default-src 'none'; frame-ancestors 'none'; sandbox";

export const newNonce = () => newSecret().slice(0, 22);

export function shieldHeaders(nonce?: string): Record<string, string> {
  return {
    "content-security-policy": nonce === undefined ? dataPolicy : pagePolicy(nonce),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cache-control": "no-store",
  };
}

export interface HtmlOptions {
  readonly nonce: string;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A page, or a part of one, made with the nonce that it is sent with. */
export const htmlReply = (markup: JSX.Element, { nonce, status = 200, headers }: HtmlOptions) =>
  new Response(String(markup), {
    status,
    headers: { ...shieldHeaders(nonce), "content-type": "text/html; charset=utf-8", ...headers },
  });

export const jsonReply = (value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}) =>
  new Response(`${JSON.stringify(value)}\n`, {
    status,
    headers: { ...shieldHeaders(), "content-type": "application/json; charset=utf-8", ...headers },
  });

/** Text exactly as it is, which no browser may take for a page. */
export const textReply = (
  body: string | ReadableStream<Uint8Array> | Blob,
  headers: Readonly<Record<string, string>> = {},
) =>
  new Response(body, {
    headers: { ...shieldHeaders(), "content-type": "text/plain; charset=utf-8", ...headers },
  });

/** See other: what follows a form that was done. */
export const goTo = (location: string, headers: Readonly<Record<string, string>> = {}) =>
  new Response(null, { status: 303, headers: { ...shieldHeaders(), location, ...headers } });

/** Compresses what is worth it for whoever takes it. Streams pass through. */
export async function compressed(request: Request, reply: Response): Promise<Response> {
  const { headers } = reply;
  const wanted = /\bgzip\b/.test(request.headers.get("accept-encoding") ?? "");
  const type = headers.get("content-type") ?? "";
  if (!wanted || !/^(text\/html|application\/json)/.test(type)) return reply;
  const body = await reply.arrayBuffer();
  const small = body.byteLength < 1400;
  if (!small) headers.set("content-encoding", "gzip");
  headers.set("vary", "accept-encoding");
  return new Response(small ? body : Bun.gzipSync(new Uint8Array(body), { level: 5 }), {
    status: reply.status,
    headers,
  });
}
