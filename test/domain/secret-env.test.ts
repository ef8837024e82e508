// Variables whose values are stored nowhere: as they are written, and what is none.

import { expect, test } from "bun:test";
import { Refusal } from "../../src/domain/errors.ts";
import { checkSecrets, mergedSecrets, readSecret, secretNames } from "../../src/domain/secret-env.ts";

test("a name is taken from the worker, a name with a path from that file", () => {
  expect(readSecret("TOKEN")).toEqual({ name: "TOKEN", path: undefined });
  expect(readSecret("PASS=@/run/secrets/a=b c")).toEqual({ name: "PASS", path: "/run/secrets/a=b c" });
});

test.each(["", "1A", "A B", "A=", "A=secret", "A=@relative", "A=@/a\0b", `A=@/${"x".repeat(4096)}`, 5, null])(
  "%j is refused",
  (text) => {
    expect(() => readSecret(text)).toThrow(Refusal);
  },
);

test("the message does not repeat what may be the secret", () => {
  expect(() => readSecret("PASS=hunter2")).toThrow('secret_env cannot have "PASS=…"');
});

test("queuectl's own variables are none", () => {
  expect(() => readSecret("QUEUECTL_HOME")).toThrow("that is queuectl's own");
});

test("a list has 1 to 64, each once", () => {
  const names = Array.from({ length: 65 }, (_, n) => `V${n}`);
  expect(() => checkSecrets(names.slice(0, 64))).not.toThrow();
  for (const wrong of [[], names, ["A", "A=@/a"]]) expect(() => checkSecrets(wrong)).toThrow(Refusal);
});

test("over another list, what both name is as the second says", () => {
  expect(mergedSecrets(["A", "B"], ["B=@/b", "C"])).toEqual(["A", "B=@/b", "C"]);
  expect(secretNames(["A", "B=@/b"])).toEqual(["A", "B"]);
});
