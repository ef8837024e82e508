// Figures for Prometheus, in its own text form.

import { Elysia } from "elysia";
import { Counter, Gauge, Registry } from "prom-client";
import { jobStates } from "../../domain/job.ts";
import { workerStates } from "../../domain/worker.ts";
import { queues, stats, workers } from "../reads.ts";
import { shieldHeaders } from "../reply.ts";
import { needs, type Web } from "../web.ts";

export const metricsRoutes = (web: Web) => {
  const registry = new Registry();
  const registers = [registry];
  const jobs = new Gauge({
    name: "queuectl_jobs",
    help: "Jobs present, by queue and state",
    labelNames: ["queue", "state"],
    registers,
  });
  const oldest = new Gauge({
    name: "queuectl_oldest_waiting_seconds",
    help: "How long the oldest due job waits, by queue",
    labelNames: ["queue"],
    registers,
  });
  const present = new Gauge({
    name: "queuectl_workers",
    help: "Workers, by state",
    labelNames: ["state"],
    registers,
  });
  const runs = new Counter({
    name: "queuectl_runs_total",
    help: "Charged runs that ever ended, by result",
    labelNames: ["result"],
    registers,
  });

  async function collect(): Promise<string> {
    const [counts, perQueue, all] = await Promise.all([stats(web), queues(web), workers(web)]);
    const now = await web.store.now();
    registry.resetMetrics();
    for (const queue of perQueue) {
      for (const state of jobStates) jobs.set({ queue: queue.queue, state }, queue[state]);
      oldest.set(
        { queue: queue.queue },
        queue.oldest_waiting_at === null ? 0 : (now - queue.oldest_waiting_at) / 1000,
      );
    }
    for (const state of workerStates) {
      present.set({ state }, all.filter((worker) => worker.state === state).length);
    }
    runs.inc({ result: "completed" }, counts.success_runs);
    runs.inc({ result: "failed" }, counts.failed_runs);
    return registry.metrics();
  }

  return new Elysia().get(
    "/metrics",
    async () =>
      new Response(await collect(), {
        headers: { ...shieldHeaders(), "content-type": registry.contentType },
      }),
    needs("read", { summary: "Figures for Prometheus", answers: { 200: "text/plain" } }),
  );
};
