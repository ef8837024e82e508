// A server in another place: what a command makes its user wait for are round trips.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { noPostgres, postgresServer } from "../support/postgres-server.ts";
import { queuectl } from "../support/queuectl.ts";
import { tcpProxy } from "../support/tcp-proxy.ts";

setDefaultTimeout(120_000);

describe.skipIf(noPostgres !== undefined)("of a server far away", () => {
  test("a command asks each thing in one round trip, so an enqueue takes no more than a handful", async () => {
    await using database = await (await postgresServer()).newDatabase();
    await using proxy = await tcpProxy(database.url);
    await using q = queuectl({ QUEUECTL_DATABASE_URL: proxy.url });
    const roundTrips = async (...words: string[]) => {
      const before = proxy.roundTrips();
      await q.ok(...words);
      return proxy.roundTrips() - before;
    };
    await q.ok("enqueue", "true", "--id", "first");
    // To come in, to see that it is the queue, and what is asked for: settings, the job, and word of it to the workers.
    expect(await roundTrips("enqueue", "true")).toBeLessThanOrEqual(7);
    expect(await roundTrips("list")).toBeLessThanOrEqual(7);
    expect(await roundTrips("logs", "first")).toBeLessThanOrEqual(9);
    expect(await roundTrips("show", "first")).toBeLessThanOrEqual(24);
  });
});
