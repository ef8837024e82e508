// What the overview says of its figures, in words and in drawings.

import { expect, setDefaultTimeout, test } from "bun:test";
import { ThroughputBars } from "../../views/parts/charts.tsx";
import type { Ui } from "../../views/parts/ui.ts";
import { webServer } from "../support/web-server.ts";

setDefaultTimeout(90_000);

const ui: Ui = {
  nonce: "n",
  base: "",
  label: undefined,
  scopes: new Set(),
  loggedIn: false,
  now: 0,
  path: "/",
  query: new URLSearchParams(),
  refresh: 0,
  theme: "auto",
  notice: undefined,
};

test("the line in the middle of a chart is half of its top, whatever its top is", () => {
  for (let completed = 0; completed <= 120; completed++) {
    const throughput = { span: "hour" as const, buckets: [{ from: 0, completed, failed: 0 }] };
    const chart = String(ThroughputBars({ ui, throughput }));
    const [bottom, middle, top] = [...chart.matchAll(/<text class="axis" [^>]*>([^<]*)</g)].map(([, text]) =>
      Number(text),
    );
    expect([completed, bottom, middle]).toEqual([completed, 0, top! / 2]);
    expect(top).toBeGreaterThanOrEqual(completed);
  }
});

test("one run is one run, and none are none", async () => {
  await using web = await webServer();
  await web.q.ok("enqueue", "true");
  await web.q.ok("worker", "--until-empty", "--quiet");
  const page = await (await web.get("/")).text();
  expect(page).toContain(">1 run succeeded<");
  expect(page).toContain(">0 runs failed<");
});
