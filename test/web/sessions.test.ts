// How long a session, a link and a lock last, by a clock that is turned.

import { expect, test } from "bun:test";
import { makeSessions } from "../../src/web/sessions.ts";
import { digestOf, type KnownToken } from "../../src/web/tokens.ts";

const seconds = 1000;
const minutes = 60 * seconds;
const hours = 60 * minutes;

function turned() {
  let now = 1_000 * hours;
  return {
    sessions: makeSessions(() => now),
    later: (ms: number) => {
      now += ms;
    },
  };
}

const token = (text: string, ...scopes: ("read" | "operate" | "enqueue")[]): KnownToken => ({
  digest: digestOf(text),
  scopes: new Set(scopes),
});

test("a session lasts twelve hours, and others that begin or end leave it alone", () => {
  const { sessions, later } = turned();
  const tokens = [token("one", "read")];
  const first = sessions.open(tokens[0]!);
  later(11 * hours);
  const second = sessions.open(tokens[0]!);
  later(hours - 1);
  expect(sessions.find(first, tokens)).toBeDefined();
  later(1);
  expect(sessions.find(first, tokens)).toBeUndefined();
  sessions.open(tokens[0]!);
  expect(sessions.find(second, tokens)).toBeDefined();
});

test("a session may do what its token may, and is no session of another token", () => {
  const { sessions } = turned();
  const [reading, all] = [token("one", "read"), token("two", "read", "operate", "enqueue")];
  const cookie = sessions.open(reading);
  expect([...sessions.find(cookie, [all, reading])!.scopes]).toEqual(["read"]);
  expect(sessions.find(cookie, [all])).toBeUndefined();
});

test("a link works once, within ten minutes", () => {
  const { sessions, later } = turned();
  const [code, old] = [sessions.newCode(), sessions.newCode()];
  later(10 * minutes - 1);
  expect([sessions.useCode(code), sessions.useCode(code)]).toEqual([true, false]);
  later(1);
  expect(sessions.useCode(old)).toBe(false);
});

test("ten wrong tokens in a minute lock their address until the first is a minute ago, and no other (D11)", () => {
  const { sessions, later } = turned();
  for (let n = 0; n < 10; n++) {
    expect(sessions.throttled("a")).toBe(0);
    sessions.failed("a");
    later(seconds);
  }
  expect([sessions.throttled("a"), sessions.throttled("b")]).toEqual([50, 0]);
  later(50 * seconds - 1);
  expect(sessions.throttled("a")).toBe(1);
  later(1);
  expect(sessions.throttled("a")).toBe(0);
  later(minutes);
  expect(sessions.throttled("a")).toBe(0);
});

test("a hundred in an hour lock all, until the first is an hour ago (D11)", () => {
  const { sessions, later } = turned();
  for (let n = 0; n < 100; n++) {
    expect(sessions.throttled("new")).toBe(0);
    sessions.failed(`address ${n}`);
  }
  later(minutes);
  expect(sessions.throttled("new")).toBe(59 * 60);
  later(59 * minutes);
  expect(sessions.throttled("new")).toBe(0);
  later(hours);
  expect(sessions.throttled("new")).toBe(0);
});
