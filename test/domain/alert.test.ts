// Alerts: what one may say, when a message is tried again, and what becomes of many things at once.

import { describe, expect, test } from "bun:test";
import {
  checkAlert,
  lineOf,
  mostWaiting,
  type NewAlert,
  newSecret,
  planGathering,
  redeliveryDelay,
  shownTarget,
  signingKey,
} from "../../src/domain/alert.ts";
import { messageOf } from "../../src/domain/alert-message.ts";
import { alertJson } from "../../src/domain/json.ts";
import { withoutSecrets } from "../../src/domain/secrets.ts";
import { sampleAlert } from "../support/sample-alerts.ts";

describe("what an alert may say", () => {
  test.each<Partial<NewAlert>>([
    {},
    { events: ["dead", "completed"], queue: "mail", tag: "ü-tag", gather: 0 },
    { events: ["slow"], longer_than: 0.5 },
    { events: ["backlog"], more_than: 0 },
    { events: ["backlog", "dead"], more_than: 10, older_than: 60, queue: "mail" },
    { target: "http://[::1]:8080/x?y#z", secret: newSecret() },
    { channel: "slack", target: "https://hooks.slack.com/services/T/B/x" },
    { channel: "email", target: "a@example.org, b+c@sub.example.org" },
    { channel: "command", target: "echo", cwd: "/" },
  ])("%j is an alert", (wanted) => {
    expect(() => checkAlert(sampleAlert(wanted))).not.toThrow();
  });

  test.each<[Partial<NewAlert>, string]>([
    [{ name: "a b" }, "is not a name of an alert"],
    [{ events: [] }, "does not say what to tell of"],
    [{ queue: "a b" }, "is not a name"],
    [{ tag: "a b" }, "without blanks and commas"],
    [{ events: ["slow"] }, "slow needs longer_than"],
    [{ longer_than: 60 }, "slow is not told of"],
    [{ events: ["slow"], longer_than: 0 }, "more than 0"],
    [{ events: ["slow"], longer_than: Number.NaN }, "more than 0"],
    [{ events: ["backlog"] }, "backlog needs more_than"],
    [{ more_than: 5 }, "backlog is not told of"],
    [{ older_than: 5 }, "backlog is not told of"],
    [{ events: ["backlog"], more_than: 1.5 }, "a whole number"],
    [{ events: ["backlog"], more_than: -1 }, "a whole number"],
    [{ events: ["backlog"], more_than: 1, tag: "x" }, "whatever tags"],
    [{ gather: -1 }, "gather cannot be"],
    [{ gather: 86_401 }, "gather cannot be"],
    [{ target: "example.org" }, "begins with https://"],
    [{ target: "file:///etc/passwd" }, "begins with https://"],
    [{ target: "https://" }, "begins with https://"],
    [{ target: `https://a/${"x".repeat(10_000)}` }, "longer than"],
    [{ target: "https://a/\0" }, "begins with https://"],
    [{ channel: "command", target: "a", cwd: "/\0" }, "absolute"],
    [{ channel: "slack", target: "hooks.slack.com/x" }, "begins with https://"],
    [{ channel: "email", target: "" }, "not 0"],
    [{ channel: "email", target: "nobody" }, "is not an e-mail address"],
    [{ channel: "email", target: "a@b\r\nBcc: c@d" }, "is not an e-mail address"],
    [{ channel: "email", target: "A <a@b>" }, "is not an e-mail address"],
    [{ channel: "email", target: "a@b,".repeat(21) }, "not 21"],
    [{ channel: "command", target: " ", cwd: "/" }, "the command is empty"],
    [{ channel: "command", target: "a\0b", cwd: "/" }, "NUL"],
    [{ channel: "command", target: "a\ud800", cwd: "/" }, "half a character"],
    [{ channel: "command", target: "a", cwd: "/\ud800" }, "absolute"],
    [{ channel: "email", target: "\ud800@example.org" }, "half a character"],
    [{ channel: "command", target: "a", cwd: "here" }, "absolute"],
    [{ name: "new" }, "new is not a name of an alert"],
    [{ secret: "short" }, "24 to 64 bytes"],
    [{ secret: `whsec_${btoa("x".repeat(65))}` }, "24 to 64 bytes"],
    [{ secret: `whsec_${"!".repeat(40)}` }, "24 to 64 bytes"],
  ])("%j is refused: %s", (wanted, message) => {
    expect(() => checkAlert(sampleAlert(wanted))).toThrow(message);
  });

  test("a refusal does not repeat what may be a secret", () => {
    for (const wanted of [{ target: "ftp://me:sesame@a/sesame" }, { secret: "sesame" }]) {
      try {
        checkAlert(sampleAlert(wanted));
      } catch (error) {
        expect(`${error}`).not.toContain("sesame");
      }
    }
    expect.assertions(2);
  });

  test("a secret that is made is one, and no other is like it", () => {
    expect(signingKey(newSecret())).toHaveLength(32);
    expect(newSecret()).not.toBe(newSecret());
  });
});

test("of a URL the host is shown, and neither path nor user nor secret", () => {
  const target = "https://user:pass@hooks.example.org:8443/T0/B0/xyz?token=1#f";
  expect(shownTarget({ channel: "slack", target })).toBe("hooks.example.org:8443");
  const alert = {
    ...sampleAlert({ target, secret: newSecret() }),
    paused: false,
    created_at: 0,
    updated_at: 0,
    untold: 0,
    waiting: 0,
    given_up: 0,
    last: null,
  };
  const text = JSON.stringify(alertJson(alert));
  for (const secret of [alert.secret!, "pass", "xyz", "token", "/T0"]) expect(text).not.toContain(secret);
});

test("an alert says in one line what it tells of", () => {
  const alert = sampleAlert({
    events: ["dead", "slow", "backlog"],
    longer_than: 600,
    more_than: 5,
    older_than: 60,
    queue: "mail",
  });
  expect(lineOf(alert)).toBe(
    "dead, slow (longer than 10m), backlog (more than 5 or older than 1m) in queue mail",
  );
});

test("a message is tried again after 5 s, 15 s, 45 s and so on up to four hours, for about a day", () => {
  const delays: number[] = [];
  let age = 0;
  for (let tries = 1; ; tries++) {
    const delay = redeliveryDelay(tries, age, 0);
    if (delay === null) break;
    delays.push(delay);
    age += delay;
  }
  expect(delays.slice(0, 4)).toEqual([5, 15, 45, 135]);
  expect(Math.max(...delays)).toBe(4 * 3600);
  expect(delays.length).toBeGreaterThan(10);
  expect(age).toBeGreaterThanOrEqual(86_400);
  expect(age).toBeLessThan(86_400 + 4 * 3600);
  expect(redeliveryDelay(1, 0, 1)).toBe(6);
});

describe("many things at once", () => {
  const plan = (gather: number, more: Partial<Parameters<typeof planGathering>[1]> = {}, now = 100_000) =>
    planGathering({ gather }, { rows: 3, count: 3, last_at: null, waiting: 0, ...more }, now);

  test("are one message at first, and later only when the last one is old enough", () => {
    expect(plan(60)).toEqual({ kind: "one" });
    expect(plan(60, { last_at: 99_999 })).toEqual({ kind: "later", at: 159_999 });
    expect(plan(60, { last_at: 100_000 })).toEqual({ kind: "later", at: 160_000 });
    expect(plan(60, { last_at: 40_000 })).toEqual({ kind: "one" });
  });

  test("do not wait for ever when the clock was set back", () => {
    expect(plan(60, { last_at: 100_001 })).toEqual({ kind: "one" });
  });

  test("are a message each when nothing is gathered, as long as there is room for them", () => {
    expect(plan(0, { last_at: 99_999 })).toEqual({ kind: "each" });
    expect(plan(0, { waiting: mostWaiting - 3 })).toEqual({ kind: "each" });
    expect(plan(0, { waiting: mostWaiting - 2 })).toEqual({ kind: "one" });
    expect(plan(0, { waiting: mostWaiting })).toEqual({ kind: "later", at: null });
    expect(plan(0, { count: 9 })).toEqual({ kind: "one" });
  });
});

describe("a message", () => {
  test("tells of queues by their facts", () => {
    const queues = [{ queue: "mail", waiting: 1200, oldest_wait: 725.4 }];
    const one = messageOf({ alert: "a", event: "backlog", count: 1, at: 0, jobs: [], queues });
    expect(one.text).toBe("queue mail backs up: 1200 jobs wait, the oldest for 12m 5s");
    const two = messageOf({ alert: "a", event: "backlog", count: 2, at: 0, jobs: [], queues });
    expect(two.text).toBe("2 queues back up");
  });

  test("has neither passwords of addresses nor secrets of the environment", () => {
    const env = { DB_PASSWORD: "hunter2hunter2", PATH: "/bin" };
    const text = "psql postgres://me:sesame@host/db; echo hunter2hunter2 /bin";
    expect(withoutSecrets(text, env)).toBe("psql postgres://me:***@host/db; echo *** /bin");
  });
});
