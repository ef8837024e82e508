// Showing a token, once; the browser then holds a cookie that says nothing by itself.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { Elysia } from "elysia";
import { Page } from "../../../views/layout.tsx";
import { Login } from "../../../views/login.tsx";
import { scopes } from "../../domain/scope.ts";
import { cookieOf } from "../access.ts";
import { assets } from "../assets.ts";
import { Problem } from "../errors.ts";
import { formOf, localPath } from "../forms.ts";
import { goTo, htmlReply } from "../reply.ts";
import { sessionSeconds } from "../sessions.ts";
import { type KnownToken, verifyToken } from "../tokens.ts";
import { needs, plainUi, type Web } from "../web.ts";

/** A wrong token is answered no sooner than this, right or nearly right. */
const wrongMs = 300;

export const loginRoutes = (web: Web) =>
  new Elysia()
    .get("/login", ({ request }) => show(web, request), needs("public"))
    .post("/login", ({ request }) => login(web, request), needs("public"))
    .post("/logout", ({ request }) => logout(web, request), needs("public"));

async function show(web: Web, request: Request): Promise<Response> {
  const query = new URL(request.url).searchParams;
  const code = query.get("code");
  if (code === null) {
    const next = localPath(query.get("next"));
    // Another of the browser's tabs may have logged in since this one was sent here.
    return plainUi(web, request).loggedIn ? goTo(`${web.base}${next}`) : loginPage(web, request, next);
  }
  refuseThrottled(web, request);
  const token = web.tokens().find((one) => one.scopes.size === scopes.length);
  if (!web.sessions.useCode(code) || !token) {
    await failed(web, request);
    return loginPage(web, request, "/", "That link was used already, or is too old.");
  }
  return opened(web, request, token, "/");
}

async function login(web: Web, request: Request): Promise<Response> {
  const form = await formOf(request, "login");
  // Not before: of all who begin at once, none has failed yet.
  refuseThrottled(web, request);
  const next = localPath(form.get("next"));
  const token = verifyToken((form.get("token") ?? "").trim(), web.tokens());
  if (token) return opened(web, request, token, next);
  await failed(web, request);
  return loginPage(web, request, next, "That is not the token.");
}

async function failed(web: Web, request: Request): Promise<void> {
  web.sessions.failed(web.addressOf(request));
  web.audit.write({ who: "nobody", address: web.addressOf(request), action: "login refused" });
  await Bun.sleep(wrongMs);
}

function refuseThrottled(web: Web, request: Request): void {
  const seconds = web.sessions.throttled(web.addressOf(request));
  if (seconds === 0) return;
  throw new Problem(429, "throttled", `too many wrong tokens; try again in ${seconds} s`, undefined, {
    headers: { "retry-after": String(seconds) },
  });
}

function opened(web: Web, request: Request, token: KnownToken, next: string): Response {
  return goTo(`${web.base}${next}`, {
    "set-cookie": cookieText(web, request, web.sessions.open(token), sessionSeconds),
  });
}

function logout(web: Web, request: Request): Response {
  const cookie = cookieOf(request, web.access.cookieName);
  if (cookie !== undefined) web.sessions.close(cookie);
  return goTo(`${web.base}/login`, { "set-cookie": cookieText(web, request, "", 0) });
}

/** For our own pages alone; over TLS for the whole server, as a name that begins with `__Host-` has to be. */
function cookieText({ access, base, tls }: Web, request: Request, value: string, seconds: number): string {
  const path = tls ? "/" : base || "/";
  const secure = isEncrypted(request) ? "; Secure" : "";
  return `${access.cookieName}=${value}; Path=${path}; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`;
}

/** Whether the browser came by TLS, to here or to a proxy. Whoever is no proxy and says so keeps nothing but its own cookie to TLS. */
const isEncrypted = ({ url, headers }: Request) =>
  url.startsWith("https:") || /^https\b/i.test(headers.get("x-forwarded-proto") ?? "");

function loginPage(web: Web, request: Request, next: string, fault?: string): Response {
  const ui = plainUi(web, request);
  const markup = (
    <Page ui={ui} counts={undefined} title="Log in" assets={assets}>
      <Login ui={ui} fault={fault} next={next} />
    </Page>
  );
  return htmlReply(markup, { nonce: ui.nonce, status: fault === undefined ? 200 : 401 });
}
