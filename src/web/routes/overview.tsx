// The first page, and the choice of colours.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { Elysia } from "elysia";
import { OverviewPage } from "../../../views/overview.tsx";
import { type Span, spans } from "../../domain/overview.ts";
import { formOf, localPath } from "../forms.ts";
import { jobPage, overview } from "../reads.ts";
import { goTo } from "../reply.ts";
import { type MakeScreen, page, part } from "../screens.tsx";
import { needs, type Web } from "../web.ts";

const recentJobs = 12;

const screen: MakeScreen = async ({ web, ui, query }) => {
  const asked = query.get("span") ?? "hour";
  const span: Span = Object.hasOwn(spans, asked) ? (asked as Span) : "hour";
  const [figures, recent] = await Promise.all([overview(web, span), jobPage(web, {}, undefined, recentJobs)]);
  return { title: "Overview", body: <OverviewPage ui={ui} overview={figures} recent={recent.jobs} /> };
};

export const overviewRoutes = (web: Web) =>
  new Elysia()
    .get("/", page(web, screen), needs("read"))
    .get("/p/overview", part(web, screen), needs("read"))
    .post("/theme", ({ request }) => chooseTheme(web, request), needs("public"));

async function chooseTheme(web: Web, request: Request): Promise<Response> {
  const form = await formOf(request);
  const theme = form.get("theme") ?? "auto";
  const cookie =
    theme === "light" || theme === "dark"
      ? `qctl_theme=${theme}; Max-Age=31536000`
      : "qctl_theme=; Max-Age=0";
  return goTo(`${web.base}${localPath(form.get("back"))}`, {
    "set-cookie": `${cookie}; Path=${web.base || "/"}; HttpOnly; SameSite=Strict`,
  });
}
