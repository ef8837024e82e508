// Which variables are secrets, and how an environment is shown.

import { expect, test } from "bun:test";
import { isSecretName, secretTexts, shownEnv, unhidden } from "../../src/domain/secrets.ts";

test("names say what is a secret", () => {
  const secrets =
    "API_KEY AWS_SECRET_ACCESS_KEY GITHUB_TOKEN PGPASSWORD DB_PASS MYSQL_PWD npm_config__auth GH_PAT apiKey";
  const others = "PATH PWD OLDPWD LANG HOME KEYBOARD MONKEY_NAME PASSAGE AUTHOR COMPAT VIRTUAL_ENV";
  for (const name of secrets.split(" ")) expect([name, isSecretName(name)]).toEqual([name, true]);
  for (const name of others.split(" ")) expect([name, isSecretName(name)]).toEqual([name, false]);
});

test("a secret is shown as being there, and of an address only the password is hidden", () => {
  const env = { TOKEN: "abc", EMPTY_TOKEN: "", DATABASE_URL: "postgres://app:hunter2@db/shop", LANG: "C" };
  expect(shownEnv(env)).toEqual({
    TOKEN: "***",
    EMPTY_TOKEN: "",
    DATABASE_URL: "postgres://app:***@db/shop",
    LANG: "C",
  });
});

test("what comes back hidden is what it was, and what was typed anew is new", () => {
  const env = { TOKEN: "abc", URL: "amqp://a:secret@b" };
  expect(unhidden({ TOKEN: "***", URL: "amqp://a:***@b" }, env)).toEqual(env);
  expect(unhidden({ TOKEN: "new", OTHER: "***" }, env)).toEqual({ TOKEN: "new", OTHER: "***" });
});

test("texts to be starred out are lines of secrets, the longest first, and none so short that it is found everywhere", () => {
  const env = {
    PIN_TOKEN: "1",
    KEY: "first line\nsecond, longer line",
    U: "http://u:password@h",
    PATH: "/usr/bin",
  };
  expect(secretTexts(env)).toEqual(["second, longer line", "first line", "password"]);
  expect(secretTexts({}, ["hunter2\nlonger than that", "short"])).toEqual(["longer than that", "hunter2"]);
});

test("a value as long as can be is looked through at once, whatever is in it", () => {
  for (const piece of ["x", "a://", "a://b:", "://", "a:b@"]) {
    const text = piece.repeat(500_000 / piece.length);
    expect(shownEnv({ LONG: text })).toEqual({ LONG: text });
  }
});
