// Settings in the HTTP API.

import { Elysia } from "elysia";
import { type SettingKey, shownSetting, shownSettings } from "../../domain/settings.ts";
import * as shapes from "../../input/api.ts";
import { jsonOf } from "../json-body.ts";
import { jsonReply } from "../reply.ts";
import { needs, type Web } from "../web.ts";
import { setSetting, settingOf, unsetSetting } from "./settings.tsx";

export const apiSettingRoutes = (web: Web) =>
  new Elysia({ prefix: "/api/v1" })
    .get(
      "/settings",
      async () => jsonReply(shownSettings(await web.settings())),
      needs("read", { summary: "All settings", answers: { 200: shapes.settings } }),
    )
    .get(
      "/settings/:key",
      ({ params }) => showSetting(web, settingOf(params.key)),
      needs("read", { summary: "One setting", answers: { 200: shapes.setting } }),
    )
    .put(
      "/settings/:key",
      ({ request, params }) => set(web, request, settingOf(params.key)),
      needs("operate", {
        summary: "Change a setting",
        body: shapes.settingBody,
        answers: { 200: shapes.setting },
      }),
    )
    .delete(
      "/settings/:key",
      ({ request, params }) => unset(web, request, settingOf(params.key)),
      needs("operate", {
        summary: "Store a setting no more: it is what the environment says, or its default",
        answers: { 200: shapes.setting },
      }),
    );

const showSetting = async (web: Web, key: SettingKey) =>
  jsonReply({ key, value: shownSetting(key, (await web.settings())[key]) });

async function set(web: Web, request: Request, key: SettingKey): Promise<Response> {
  const { value } = shapes.readBody(shapes.settingBody, await jsonOf(request));
  await setSetting(web, request, key, String(value));
  return showSetting(web, key);
}

async function unset(web: Web, request: Request, key: SettingKey): Promise<Response> {
  await unsetSetting(web, request, key);
  return showSetting(web, key);
}
