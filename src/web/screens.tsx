// From what a route shows to what is sent: the whole page, or, for its refresh, only what changes, and nothing when nothing did.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { Content, type NavCounts, Page } from "../../views/layout.tsx";
import type { Ui } from "../../views/parts/ui.ts";
import { assets } from "./assets.ts";
import { isUnserved, queues, stats, workers } from "./reads.ts";
import { htmlReply, shieldHeaders } from "./reply.ts";
import { uiFor, type Web } from "./web.ts";

/** What a route gets to make its screen from. */
export interface Call {
  readonly web: Web;
  readonly request: Request;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly ui: Ui;
}

/** What a screen is shown with. */
export type Place = Pick<Call, "web" | "ui">;

/** The same for a page that answers a form: `path` is the address of the page that the form stands on. */
export const placeAt = async (web: Web, request: Request, path: string): Promise<Place> => ({
  web,
  ui: { ...(await uiFor(web, request)), path },
});

export interface Screen {
  readonly title: string;
  readonly body: JSX.Element;
  readonly status?: number;
  /** False for a page that holds what somebody types. */
  readonly refreshes?: boolean;
  /** True for a page that is to go on by itself also without scripts. */
  readonly reloads?: boolean;
}

export type MakeScreen = (call: Call) => Promise<Screen>;

interface Asked {
  readonly request: Request;
  readonly params?: Readonly<Record<string, string>>;
}

const callOf = async (web: Web, { request, params = {} }: Asked): Promise<Call> => {
  const ui = await uiFor(web, request);
  return { web, request, params, query: ui.query, ui };
};

/** Answers with the whole page. */
export const page = (web: Web, make: MakeScreen) => async (asked: Asked) => {
  const call = await callOf(web, asked);
  return pageReply(call, await make(call));
};

export async function pageReply(
  { web, ui }: Place,
  { title, body, status = 200, refreshes = true, reloads = false }: Screen,
) {
  const path = ui.path === "/" ? "/overview" : ui.path;
  const query = new URLSearchParams(ui.query);
  for (const once of ["notice", "find", "past"]) query.delete(once);
  const refreshFrom = `${ui.base}/p${path}${query.size > 0 ? `?${query}` : ""}`;
  const markup = (
    <Page
      ui={ui}
      counts={await navCounts(web)}
      title={title}
      assets={assets}
      reloads={reloads}
      refreshFrom={refreshes && ui.refresh > 0 ? refreshFrom : undefined}
    >
      {body}
    </Page>
  );
  return htmlReply(markup, { nonce: ui.nonce, status });
}

/** Answers with what the page refreshes, or says that it is as it was, or is to be loaded with another script and style than it has. */
export const part = (web: Web, make: MakeScreen) => async (asked: Asked) => {
  const call = await callOf(web, asked);
  const { ui } = call;
  const known = asked.request.headers.get("hx-ptag");
  if (known !== null && !known.startsWith(tagOf("")))
    return new Response(null, { headers: { ...shieldHeaders(ui.nonce), "hx-refresh": "true" } });
  const { body } = await make(call);
  const markup = String(
    <Content ui={ui} counts={await navCounts(web)}>
      {body}
    </Content>,
  );
  const tag = tagOf(Bun.hash(markup.replaceAll(ui.nonce, "")).toString(36));
  if (known === tag) {
    return new Response(null, { status: 304, headers: { ...shieldHeaders(ui.nonce), "hx-ptag": tag } });
  }
  return htmlReply(markup, { nonce: ui.nonce, headers: { "hx-ptag": tag } });
};

/** What a page has: the build that it was loaded from, and which content. */
const tagOf = (content: string) => `${assets.build}.${content}`;

/** Answers with a fragment as it is, for a dialog. */
export const fragment = (web: Web, make: MakeScreen) => async (asked: Asked) => {
  const call = await callOf(web, asked);
  return htmlReply((await make(call)).body, { nonce: call.ui.nonce });
};

async function navCounts(web: Web): Promise<NavCounts> {
  const [counts, perQueue, all] = await Promise.all([stats(web), queues(web), workers(web)]);
  return {
    dead: counts.dead,
    workers: counts.active_workers,
    processing: counts.processing,
    unserved: perQueue.filter((queue) => isUnserved(queue, all)).map(({ queue }) => queue),
  };
}
