// How an error is told: as problem+json to programs, as a page to people, and in a corner of the page to its own scripts.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { ErrorPage } from "../../views/error.tsx";
import { Page } from "../../views/layout.tsx";
import { Refusal } from "../domain/errors.ts";
import { assets } from "./assets.ts";
import { type Fault, faultOf, problemJson } from "./errors.ts";
import { notice } from "./forms.ts";
import { goTo, htmlReply, shieldHeaders } from "./reply.ts";
import { callerOf, plainUi, type Web } from "./web.ts";

export function errorReply(web: Web, request: Request, error: unknown): Response {
  const fault = faultOf(callerOf(request) || !isTrouble(error) ? error : untoldTrouble());
  if (fault.status === 500) web.bug(error);
  const path = new URL(request.url).pathname.slice(web.base.length);
  if (/^\/(api|metrics|healthz)(\/|$)/.test(path)) return problemReply(fault);
  const isScript = request.headers.has("hx-request");
  if (fault.status === 401 && fault.check === "token-needed") {
    const login = loginPlace(web, request, path);
    if (isScript)
      return new Response(null, { status: 401, headers: { ...shieldHeaders(), "hx-redirect": login } });
    if (request.method === "GET" && wantsPage(request)) return goTo(login);
  }
  if (isScript) return scriptReply(fault, isRefresh(path));
  return wantsPage(request) ? errorPage(web, request, fault) : problemReply(fault);
}

/** What is wrong with the queue names files and servers. */
const isTrouble = (error: unknown) =>
  error instanceof Refusal && (error.kind === "unavailable" || error.kind === "unusable");

/** For whoever may see nothing of it. */
const untoldTrouble = () =>
  new Refusal("unavailable", "the queue cannot be used", "queuectl doctor says more, on its machine");

/** Programs that say nothing of what they take (curl) get what programs read. */
const wantsPage = (request: Request) => /text\/html/.test(request.headers.get("accept") ?? "");

/** With where to go on then: to what was asked for, or, after a button that a script sent, to the page it stands on. */
function loginPlace(web: Web, request: Request, path: string): string {
  const { search } = new URL(request.url);
  const asked = `${path.replace(/^\/p(?=\/)/, "").replace(/^\/overview$/, "/")}${search}`;
  const page = request.method === "GET" ? asked : pageOf(web, request);
  const next = page === "/" ? "" : `?next=${encodeURIComponent(page)}`;
  return `${web.base}/login${next}`;
}

function pageOf(web: Web, request: Request): string {
  const url = URL.parse(request.headers.get("hx-current-url") ?? "");
  return url?.pathname.startsWith(`${web.base}/`)
    ? `${url.pathname.slice(web.base.length)}${url.search}`
    : "/";
}

export const problemReply = (fault: Fault) =>
  new Response(`${JSON.stringify(problemJson(fault))}\n`, {
    status: fault.status,
    headers: {
      ...shieldHeaders(),
      "content-type": "application/problem+json; charset=utf-8",
      ...fault.headers,
    },
  });

/** What a page asks for by itself, again and again, must not say the same each time. */
const isRefresh = (path: string) => /^\/p\/(?!confirm\/)/.test(path);

const scriptReply = ({ status, detail, advice, headers }: Fault, quietly: boolean) =>
  new Response(null, {
    status,
    headers: {
      ...shieldHeaders(),
      ...(quietly ? {} : notice(advice === undefined ? detail : `${detail} (${advice})`, "fault")),
      ...headers,
    },
  });

function errorPage(web: Web, request: Request, { status, title, detail, advice, headers }: Fault): Response {
  const ui = plainUi(web, request);
  const markup = (
    <Page ui={ui} counts={undefined} title={title} assets={assets}>
      <ErrorPage ui={ui} title={title} detail={detail} advice={advice} status={status} />
    </Page>
  );
  const again: Record<string, string> = status === 503 && request.method === "GET" ? { refresh: "3" } : {};
  return htmlReply(markup, { nonce: ui.nonce, status, headers: { ...headers, ...again } });
}
