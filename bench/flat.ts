// flat: what a claim, an enqueue, a settlement, `status`, `list`, `show` and the dashboard's first page cost with a thousand jobs
// and with millions of them, each question asked of all queues in turn.

import { effectiveSettings } from "../src/domain/settings.ts";
import { openStore } from "../src/store/open.ts";
import type { Store } from "../src/store/store.ts";
import type { Bench } from "./bench.ts";
import { ended, plainJob } from "./example.ts";
import { type Contents, fill } from "./filled.ts";
import { newHome } from "./program.ts";
import { median, proved, type Samples } from "./rounds.ts";
import { dashboard } from "./served-dashboard.ts";
import { type Figure, figure } from "./table.ts";

const rounds = 200;
const million = 1_000_000;

const sizes: readonly (Contents & { readonly name: string })[] = [
  { name: "1,000 finished", finished: 1000, scheduled: 0, waiting: 0 },
  { name: "a million finished", finished: million, scheduled: 0, waiting: 0 },
  { name: "and a million scheduled", finished: million, scheduled: million, waiting: 0 },
  { name: "and a million waiting", finished: million, scheduled: million, waiting: million },
];

/** One step after another, as milliseconds; the job that is measured is enqueued first and settled last. */
const steps = ["enqueue", "claim", "settle", "status", "list", "show", "dashboard"] as const;
type Costs = Record<(typeof steps)[number], number[]>;

interface Queue {
  readonly name: string;
  readonly store: Store;
  readonly page: Awaited<ReturnType<typeof dashboard>>;
  readonly costs: Costs;
}

export const bench: Bench = async () => {
  const queues: Queue[] = [];
  for (const size of sizes) {
    const home = newHome();
    await fill(home, size);
    const costs = Object.fromEntries(steps.map((step) => [step, []])) as unknown as Costs;
    queues.push({
      name: size.name,
      store: await openStore({ home: home.path }),
      page: await dashboard(home),
      costs,
    });
  }
  try {
    for (const { store } of queues) await store.workers.register(idleWorker);
    // The first times prepare statements and fill caches.
    for (let round = 0; round < 20; round++) for (const queue of queues) await ask(queue, false);
    for (let round = 0; round < rounds; round++) for (const queue of queues) await ask(queue, true);
    return figuresOf(queues);
  } finally {
    for (const { store, page } of queues) {
      await page.stop();
      await store[Symbol.asyncDispose]();
    }
  }
};

async function ask({ store, page, costs }: Queue, counted: boolean): Promise<void> {
  async function timed<T>(step: keyof Costs, work: () => Promise<T>): Promise<T> {
    const begun = performance.now();
    const result = await work();
    if (counted) costs[step].push(performance.now() - begun);
    return result;
  }
  const exchange = { started: [], ended: [], settings: effectiveSettings({}, {}) };
  const wanted = { worker_ids: ["worker-bench"], queues: null };
  // A high priority, so that every queue claims the job that was just enqueued.
  const job = await timed("enqueue", () => store.jobs.enqueue({ ...plainJob, priority: 5 }));
  const { claimed } = await timed("claim", () => store.leases.exchange({ ...exchange, wanted }));
  proved("claims of the job just enqueued", Number(claimed[0]?.job.id === job.id), 1);
  const settlement = { lease: claimed[0]!.lease, ending: ended };
  const { settled } = await timed("settle", () =>
    store.leases.exchange({ ...exchange, ended: [settlement], wanted: null }),
  );
  proved("settled jobs", settled.length, 1);
  await timed("status", () => store.stats.read());
  const { jobs } = await timed("list", () => store.jobs.list({}, { limit: 50 }));
  proved("listed jobs", jobs.length, 50);
  const shown = await timed("show", async () => store.jobs.attempts((await store.jobs.find(job.id)).seq));
  proved("attempts shown", shown.length, 1);
  await timed("dashboard", page.first);
}

const idleWorker = {
  identity: { host: "bench", boot_id: "", pid_namespace: "", pid: process.pid, pid_start: "" },
  home: "/bench",
  version: "bench",
  queues: null,
  worker_ids: ["worker-bench"],
  journal: "",
};

/** Of medians: a single question is too short to be compared with another. */
function figuresOf([small, ...large]: readonly Queue[]): Figure[] {
  const samples = (name: string, values: readonly number[]): Samples => ({ name, values: [median(values)] });
  return large.flatMap((queue) =>
    steps.map((step) =>
      figure({
        bench: "flat",
        work: `${step}, ${queue.name}`,
        unit: "ms",
        ours: samples(queue.name, queue.costs[step]),
        theirs: samples(small!.name, small!.costs[step]),
        bound: { atMost: 1.3 },
      }),
    ),
  );
}
