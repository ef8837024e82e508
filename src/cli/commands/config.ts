// queuectl config: show and change settings.

import { environmentName, settingKeys } from "../../domain/default-settings.ts";
import { misuse } from "../../domain/errors.ts";
import { didYouMean } from "../../domain/nearest.ts";
import {
  findSetting,
  readSetting,
  ruleOf,
  type SettingKey,
  shownSetting,
  shownSettings,
} from "../../domain/settings.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { hint, jsonFlag, note, printJson, printLine, printTable } from "../output.ts";

export const commands: Commands = {
  "config show": { flags: [jsonFlag], run: configShow },
  "config get": { flags: [jsonFlag], run: configGet },
  "config set": { run: configSet },
  "config unset": { run: configUnset },
};

async function configShow(
  context: Context,
  _words: readonly string[],
  options: { json?: boolean },
): Promise<number> {
  await using store = await context.openStore();
  const stored = await store.settings.all();
  const settings = await context.settings(store);
  if (options.json) {
    await printJson(shownSettings(settings));
    return done;
  }
  const from = (key: SettingKey) =>
    context.environment[environmentName(key)] !== undefined
      ? "environment"
      : key in stored
        ? "set"
        : "default";
  await printTable(
    ["SETTING", "VALUE", "FROM", "MEANING"],
    settingKeys.map((key) => [key, ruleOf(key).show(settings[key]), from(key), ruleOf(key).about]),
    ["FROM"],
  );
  return done;
}

async function configGet(
  context: Context,
  words: readonly string[],
  options: { json?: boolean },
): Promise<number> {
  const key = settingOf(words[0]!);
  await using store = await context.openStore();
  const value = (await context.settings(store))[key];
  const isSecret = ruleOf(key).isSecret;
  if (options.json) await printJson(shownSetting(key, value));
  else await printLine(isSecret ? ruleOf(key).show(value) : ruleOf(key).print(value));
  return done;
}

async function configSet(context: Context, words: readonly string[]): Promise<number> {
  const key = settingOf(words[0]!);
  const value = readSetting(key, words[1]!);
  await using store = await context.openStore();
  await store.settings.set(key, ruleOf(key).print(value));
  hint(`${key} is ${ruleOf(key).show(value)} from now on`);
  if (context.environment[environmentName(key)] !== undefined) {
    note(`${environmentName(key)} in the environment overrides it here`);
  }
  return done;
}

async function configUnset(context: Context, words: readonly string[]): Promise<number> {
  const key = settingOf(words[0]!);
  await using store = await context.openStore();
  await store.settings.unset(key);
  return done;
}

function settingOf(name: string): SettingKey {
  const key = findSetting(name);
  if (key) return key;
  const known = `the settings are ${settingKeys.join(", ")}`;
  const near = didYouMean(name.replaceAll("-", "_"), settingKeys);
  throw misuse(`there is no setting ${JSON.stringify(name)}`, near ? `${near} ${known}` : known);
}
