// The settings.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { Elysia } from "elysia";
import { type SettingRow, SettingsPage, type SettingsProps } from "../../../views/settings.tsx";
import { environmentName, settingKeys } from "../../domain/default-settings.ts";
import { misuse, Refusal } from "../../domain/errors.ts";
import { hidden } from "../../domain/secrets.ts";
import type { SettingRule } from "../../domain/setting-kinds.ts";
import { findSetting, readSetting, ruleOf, type SettingKey, type Settings } from "../../domain/settings.ts";
import { answerForm, audited, formOf } from "../forms.ts";
import { type MakeScreen, page, pageReply, placeAt } from "../screens.tsx";
import { needs, type Web } from "../web.ts";

const screen: MakeScreen = async ({ web, ui }) => ({
  title: "Settings",
  body: <SettingsPage ui={ui} rows={await rowsOf(web)} />,
  refreshes: false,
});

export const settingRoutes = (web: Web) =>
  new Elysia()
    .get("/settings", page(web, screen), needs("read"))
    .post("/settings/:key", ({ request, params }) => change(web, request, params.key), needs("operate"))
    .post("/settings/:key/unset", ({ request, params }) => unset(web, request, params.key), needs("operate"));

export function settingOf(name: string): SettingKey {
  const key = findSetting(name);
  if (key) return key;
  throw new Refusal(
    "not_found",
    `there is no setting ${JSON.stringify(name)}`,
    `the settings are ${settingKeys.join(", ")}`,
  );
}

const isInEnvironment = (web: Web, key: SettingKey) => web.environment[environmentName(key)] !== undefined;

async function rowsOf(web: Web): Promise<SettingRow[]> {
  const [stored, settings] = await Promise.all([web.store.settings.all(), web.settings()]);
  return settingKeys.map((key) => {
    const rule = ruleOf(key);
    const from = isInEnvironment(web, key) ? "environment" : key in stored ? "set" : "default";
    const value = settings[key];
    return {
      key,
      about: rule.about,
      accepts: rule.accepts,
      text: rule.isSecret
        ? ""
        : rule.show(value) === "0"
          ? "0"
          : readsBack(rule, value)
            ? rule.show(value).replaceAll(" ", "")
            : rule.print(value),
      shown: rule.show(value),
      byDefault: rule.show(rule.default),
      from,
    };
  });
}

/** Whether the friendly text means the same value when it is typed. */
function readsBack(rule: SettingRule<Settings[SettingKey]>, value: Settings[SettingKey]): boolean {
  const read = rule.parse(rule.show(value).replaceAll(" ", ""));
  return read !== undefined && rule.print(read) === rule.print(value);
}

async function change(web: Web, request: Request, name: string): Promise<Response> {
  const form = await formOf(request);
  const key = settingOf(name);
  const text = form.get("value") ?? "";
  try {
    if (ruleOf(key).isSecret && text.trim() === "")
      throw misuse(`${key} is not shown here, and so has to be typed whole`);
    await setSetting(web, request, key, text);
  } catch (error) {
    if (!(error instanceof Refusal) || error.kind !== "usage") throw error;
    return refused(web, request, { key, text: ruleOf(key).isSecret ? "" : text, message: error.message });
  }
  return answerForm(web, request, form, {
    text: `${key} is now ${ruleOf(key).show((await web.settings())[key])}`,
    to: "/settings",
  });
}

export async function setSetting(web: Web, request: Request, key: SettingKey, text: string): Promise<void> {
  await web.store.settings.set(key, ruleOf(key).print(readSetting(key, text)));
  audited(web, request, "config set", [], 1, `${key} ${ruleOf(key).isSecret ? hidden : text}`);
}

export async function unsetSetting(web: Web, request: Request, key: SettingKey): Promise<void> {
  await web.store.settings.unset(key);
  audited(web, request, "config unset", [], 1, key);
}

/** The page again, with what was typed and why it is refused. */
async function refused(
  web: Web,
  request: Request,
  fault: NonNullable<SettingsProps["fault"]>,
): Promise<Response> {
  const place = await placeAt(web, request, "/settings");
  const body = <SettingsPage ui={place.ui} rows={await rowsOf(web)} fault={fault} />;
  return pageReply(place, { title: "Settings", body, status: 422, refreshes: false });
}

async function unset(web: Web, request: Request, name: string): Promise<Response> {
  const form = await formOf(request);
  const key = settingOf(name);
  await unsetSetting(web, request, key);
  const value = ruleOf(key).show((await web.settings())[key]);
  const text = isInEnvironment(web, key)
    ? `${key} is ${value}, as the environment says`
    : `${key} is back to ${value}`;
  return answerForm(web, request, form, { text, to: "/settings" });
}
