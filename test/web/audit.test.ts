// What is written down of what the dashboard and the API change.

import { describe, expect, test } from "bun:test";
import { appendFileSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { makeApp } from "../../src/web/app.ts";
import { type Deed, openAudit } from "../../src/web/audit.ts";
import { receiver } from "../support/receiver.ts";
import { tempFolder } from "../support/temp-home.ts";
import { tempSqlite } from "../support/temp-sqlite.ts";
import { webOf } from "../support/web-of.ts";

test("whatever is changed is written down once, with who did it and from where, and seen at once", async () => {
  await using temp = await tempSqlite();
  using folder = tempFolder();
  using hook = receiver();
  const written: Deed[] = [];
  const audit = { write: (deed: Deed) => void written.push(deed), enqueuedBy: () => undefined };
  const app = makeApp({ ...webOf(temp.store, folder.path), audit });
  const ask = async (method: string, path: string, body?: unknown) => {
    const headers = { "content-type": "application/json" };
    const request = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
    const answer = await app.handle(new Request(`http://localhost${path}`, request));
    expect([method, path, answer.ok]).toEqual([method, path, true]);
    return answer.text();
  };
  const press = (path: string, fields: Record<string, string> = {}) =>
    app.handle(
      new Request(`http://localhost${path}`, {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams(fields).toString(),
      }),
    );
  const job = { command: "true", id: "a", unique: "k", run_at: "2100-01-01T00:00:00Z" };
  expect(JSON.parse(await ask("GET", "/api/v1/stats"))).toMatchObject({ pending: 0 });
  await ask("POST", "/api/v1/jobs", job);
  expect(JSON.parse(await ask("GET", "/api/v1/stats"))).toMatchObject({ pending: 1 });
  const { id: _id, ...same } = job;
  await ask("POST", "/api/v1/jobs", same);
  await ask("PATCH", "/api/v1/jobs/a", { priority: 3 });
  await ask("POST", "/api/v1/jobs/a/hold");
  await press("/jobs/a/release");
  await press("/jobs/act", { do: "cancel", id: "a" });
  await ask("POST", "/api/v1/prune", { older_than: 0, states: ["cancelled"] });
  await ask("PUT", "/api/v1/settings/max_retries", { value: 5 });
  await ask("DELETE", "/api/v1/settings/max_retries");
  await ask("POST", "/api/v1/alerts", { name: "x", on: ["dead"], by: "webhook", to: hook.url });
  await ask("POST", "/api/v1/alerts/x/test");
  await press("/alerts/x/pause");
  await ask("DELETE", "/api/v1/alerts/x");
  await ask("POST", "/api/v1/schedules", { name: "s", cron: "@yearly", job: { command: "true" } });
  await press("/schedules/s/pause");
  await ask("DELETE", "/api/v1/schedules/s");
  expect(written.map(({ action, ids, count }) => [action, ids?.join(), count])).toEqual([
    ["enqueue", "a", 1],
    ["edit", "a", 1],
    ["hold", "a", 1],
    ["release", "a", 1],
    ["cancel", "a", 1],
    ["prune", "", 1],
    ["config set", "", 1],
    ["config unset", "", 1],
    ["alert add", "x", 1],
    ["alert test", "x", 1],
    ["alert pause", "x", 1],
    ["alert delete", "x", 1],
    ["schedule add", "s", 1],
    ["schedule pause", "s", 1],
    ["schedule delete", "s", 1],
  ]);
  for (const deed of written) expect(deed).toMatchObject({ who: "test", address: "127.0.0.1" });
});

describe("who enqueued a job", () => {
  const deed = (id: string, who: string) =>
    `${JSON.stringify({ at: new Date().toISOString(), who, address: "socket", action: "enqueue", ids: [id] })}\n`;

  test("is read also of a line that comes in two pieces", () => {
    using folder = tempFolder();
    const path = join(folder.path, "logs", "web-audit.log");
    const audit = openAudit(folder.path);
    audit.write({ who: "one", address: "socket", action: "enqueue", ids: ["a"] });
    const asked = (id: string) => audit.enqueuedBy({ id, created_at: Date.now() });
    expect(asked("a")).toBe("one");
    const line = deed("b", "two");
    appendFileSync(path, line.slice(0, 50));
    expect(asked("b")).toBeUndefined();
    appendFileSync(path, line.slice(50));
    expect(asked("b")).toBe("two");
  });

  test("is read on in the file that comes after a large one, which is kept", () => {
    using folder = tempFolder();
    const path = join(folder.path, "logs", "web-audit.log");
    const audit = openAudit(folder.path);
    const enqueued = (id: string) =>
      audit.write({ who: `by ${id}`, address: "socket", action: "enqueue", ids: [id] });
    const asked = (id: string) => audit.enqueuedBy({ id, created_at: Date.now() });
    enqueued("a");
    expect(asked("a")).toBe("by a");
    truncateSync(path, 10 * 1024 ** 2 + 1);
    for (const id of ["b", "c", "d"]) enqueued(id);
    expect(statSync(`${path}.1`).size).toBe(10 * 1024 ** 2 + 1);
    expect(["a", "b", "c", "d"].map(asked)).toEqual(["by a", "by b", "by c", "by d"]);
  });
});
