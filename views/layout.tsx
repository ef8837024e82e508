// The frame of every page: its head, the navigation, and the part that refreshes itself.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import type { PropsWithChildren } from "@kitajs/html";
import type { Assets } from "./assets/assets.ts";
import { grouped } from "./parts/amount.ts";
import { here, link, may, type Ui } from "./parts/ui.ts";

export interface NavCounts {
  readonly dead: number;
  readonly workers: number;
  readonly processing: number;
  /** Queues that have jobs to run and no worker. */
  readonly unserved: readonly string[];
}

type ContentProps = PropsWithChildren<{
  readonly ui: Ui;
  readonly counts: NavCounts | undefined;
}>;

/** What is inside of the refreshing part: the same for a page and for its refresh. */
export function Content({ ui, counts, children }: ContentProps) {
  return (
    <>
      <header class="top">
        <a class="brand" href={link(ui, "/")}>
          <svg class="logo" viewBox="0 0 20 20" aria-hidden="true">
            <path d="M3 5h9M3 10h14M3 15h6" />
            <circle cx="15.5" cy="5" r="1.8" />
            <circle cx="12.5" cy="15" r="1.8" />
          </svg>
          queuectl
          {ui.label === undefined ? (
            ""
          ) : (
            <span class="label" safe>
              {ui.label}
            </span>
          )}
        </a>
        <nav aria-label="Main" class="tabs" id="nav">
          <Tab ui={ui} to="/" word="Overview" />
          <Tab ui={ui} to="/jobs" word="Jobs" count={counts?.processing} about="running" />
          <Tab ui={ui} to="/dlq" word="Dead letters" count={counts?.dead} about="dead" alarm />
          <Tab ui={ui} to="/workers" word="Workers" count={counts?.workers} about="workers" />
          <Tab ui={ui} to="/queues" word="Queues" />
          <Tab ui={ui} to="/schedules" word="Schedules" />
          <Tab ui={ui} to="/alerts" word="Alerts" />
          <Tab ui={ui} to="/settings" word="Settings" />
        </nav>
        <div class="tools" id="tools" hx-morph-skip="true">
          <span id="freshness" class="freshness" role="status" />
          <button
            type="button"
            class="button is-quiet"
            id="pause"
            hidden
            aria-pressed="false"
            title="Pause refreshing (p)"
          >
            Pause
          </button>
          <ThemeButton ui={ui} />
          {ui.loggedIn ? (
            <form method="post" action={link(ui, "/logout")} class="act">
              <button type="submit" class="button is-quiet" id="logout">
                Log out
              </button>
            </form>
          ) : (
            ""
          )}
          {may(ui, "enqueue") ? (
            <a class="button is-primary" href={link(ui, "/enqueue")} id="new-job">
              New job
            </a>
          ) : (
            ""
          )}
        </div>
      </header>
      <main id="main" tabindex="-1">
        <Unserved ui={ui} queues={counts?.unserved ?? []} />
        {children}
      </main>
    </>
  );
}

/** The overview lists this among what needs attention. */
function Unserved({ ui, queues }: { ui: Ui; queues: readonly string[] }) {
  if (queues.length === 0 || ui.path === "/") return "";
  return (
    <p class="banner" id="unserved">
      <span
        safe
      >{`No worker serves ${queues.slice(0, 5).join(", ")}${queues.length > 5 ? " and more" : ""}: what waits there does not run.`}</span>{" "}
      <a href={link(ui, "/workers")}>Start one</a>
    </p>
  );
}

interface TabProps {
  readonly ui: Ui;
  readonly to: string;
  readonly word: string;
  readonly count?: number | undefined;
  readonly about?: string;
  readonly alarm?: boolean;
}

function Tab({ ui, to, word, count = 0, about = "", alarm = false }: TabProps) {
  const current = to === "/" ? ui.path === "/" : ui.path === to || ui.path.startsWith(`${to}/`);
  return (
    <a href={link(ui, to)} aria-current={current ? "page" : undefined}>
      <span safe>{word}</span>
      {count > 0 ? (
        <span class={alarm ? "count is-alarm" : "count"}>
          <span safe>{grouped(count)}</span>
          <span class="unseen" safe>{` ${about}`}</span>
        </span>
      ) : (
        ""
      )}
    </a>
  );
}

const nextTheme = { auto: "dark", dark: "light", light: "auto" } as const;

function ThemeButton({ ui }: { ui: Ui }) {
  const next = nextTheme[ui.theme];
  return (
    <form method="post" action={link(ui, "/theme")} class="act">
      <input type="hidden" name="back" value={here(ui)} />
      <button
        type="submit"
        name="theme"
        value={next}
        class="button is-quiet"
        id="theme"
        title={`Colours: ${ui.theme}; press for ${next} (t)`}
        aria-label={`Colours: ${ui.theme}. Change to ${next}`}
      >
        <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
          <path d="M8 2.2a5.8 5.8 0 1 0 0 11.6zM8 2.2a5.8 5.8 0 0 1 0 11.6" />
        </svg>
      </button>
    </form>
  );
}

/** Swaps only what the server says is news; never a page of an error, never while markup is not ours. */
const htmxConfig = JSON.stringify({
  extensions: "hx-csp,sse,ptag",
  noSwap: [204, 304, "4xx", "5xx"],
  morphIgnore: ["data-htmx-powered", "open"],
  defaultTimeout: 15_000,
  history: false,
});

type PageProps = ContentProps & {
  readonly title: string;
  readonly assets: Assets;
  /** The address that gives this page's content anew; undefined for a page that does not refresh. */
  readonly refreshFrom?: string | undefined;
  /** Whether it is loaded again and again where no script refreshes it. */
  readonly reloads?: boolean;
};

export function Page({ ui, counts, title, assets, refreshFrom, reloads = false, children }: PageProps) {
  const refreshing =
    refreshFrom === undefined
      ? {}
      : {
          "hx-get": refreshFrom,
          "hx-trigger": "tick from:body",
          "hx-swap": "innerMorph",
          "hx-sync": "this:drop",
          "hx-nonce": ui.nonce,
          "hx-ptag": `${assets.build}.`,
        };
  return (
    <>
      {"<!doctype html>"}
      <html lang="en" data-theme={ui.theme}>
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content="light dark" />
          <meta name="htmx-config" content={htmxConfig} />
          <title safe>{`${title} · queuectl${ui.label === undefined ? "" : ` · ${ui.label}`}`}</title>
          {reloads ? (
            <noscript>
              <meta http-equiv="refresh" content="2" />
            </noscript>
          ) : (
            ""
          )}
          <link rel="icon" href={link(ui, assets.icon)} type="image/svg+xml" />
          <link rel="stylesheet" href={link(ui, assets.style)} />
          <script src={link(ui, assets.script)} nonce={ui.nonce} defer />
        </head>
        <body data-refresh={ui.refresh}>
          <a class="skip" href="#main">
            Skip to the content
          </a>
          <div id="live" {...refreshing}>
            <Content ui={ui} counts={counts}>
              {children}
            </Content>
          </div>
          <dialog id="dialog" aria-live="off" />
          <div id="notices" class="notices" role="status">
            {ui.notice === undefined ? (
              ""
            ) : (
              <p class="notice" safe>
                {ui.notice}
              </p>
            )}
          </div>
        </body>
      </html>
    </>
  );
}
