// Tells of what alerts are about: looks for what stands (slow runs, queues that back up), makes messages of what happened, and
// delivers them. Every worker process does so, beside its jobs and never in their way: whatever a receiver does, claims and
// settlements do not wait for it. The store lets one of them do each thing.

import { setTimeout } from "node:timers/promises";
import { patienceMs, type Reply, refused, send } from "../alerts/send.ts";
import { redeliveryDelay } from "../domain/alert.ts";
import { isSystemError, Refusal } from "../domain/errors.ts";
import type { Settings } from "../domain/settings.ts";
import type { TakenDelivery, TryOutcome } from "../store/alerts.ts";
import type { Store } from "../store/store.ts";
import type { WorkerEvent } from "./events.ts";
import { lookForTrouble } from "./standing.ts";
import { makeWakeup } from "./wakeup.ts";

export interface AlertOptions {
  readonly store: Store;
  readonly home: string;
  /** As the user gave it. */
  readonly environment: Readonly<Record<string, string>>;
  readonly settings: () => Settings;
  readonly tell: (event: WorkerEvent) => void;
}

export interface Alerting extends AsyncDisposable {
  /** Look soon: something happened here that somebody may want to be told of. */
  look(): void;
  /** Fulfilled when there is nothing to deliver now, or after a while: what is to be tried again later is left to others. */
  flush(): Promise<void>;
  /** Breaks off what is under way, for others to do. */
  stop(): void;
}

/** What others did is found so soon; also how often slow runs and long queues are looked for. */
const idleMs = 5_000;

/** However much happens, there is so long between two looks. */
const calmMs = 1_000;

/** Messages that a process tries at a time. */
const mostAtOnce = 8;

/** And of one alert: a receiver that does not answer leaves room for the others. */
const mostOfOneAtOnce = 2;

export function keepAlerts({ store, home, environment, settings, tell }: AlertOptions): Alerting {
  const wakeup = makeWakeup();
  /** Each with its alert. */
  const underWay = new Map<Promise<void>, string>();
  const stopping = new AbortController();
  let ended = false;
  let lookAt = 0;
  let hasAlerts = false;
  const working = work();

  const stop = () => {
    ended = true;
    stopping.abort();
    wakeup.wake();
  };

  return {
    look() {
      if (hasAlerts) wakeup.wake();
    },
    stop,
    async flush() {
      lookAt = 0;
      const until = performance.now() + patienceMs;
      // What a pass finds it begins; a pass that finds nothing has seen what the tries before it left.
      do {
        await Promise.all(underWay.keys());
        if (ended) return;
        await pass().catch(leaveToLater);
      } while (underWay.size > 0 && performance.now() < until);
    },
    async [Symbol.asyncDispose]() {
      stop();
      await working;
      await Promise.all(underWay.keys());
    },
  };

  async function work(): Promise<void> {
    while (!ended) {
      const restMs = await pass().catch(leaveToLater);
      const before = performance.now();
      await wakeup.wait(restMs);
      const calm = Math.max(0, Math.min(calmMs, restMs) - (performance.now() - before));
      await setTimeout(calm, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  /** Trouble with the database is told of by the loop that works. */
  function leaveToLater(error: unknown): number {
    if (!(error instanceof Refusal || isSystemError(error))) throw error;
    return calmMs;
  }

  /** Does what there is to do now. Returns for how long there is nothing. */
  async function pass(): Promise<number> {
    if (performance.now() >= lookAt) {
      lookAt = performance.now() + idleMs;
      const alerts = await store.alerts.list();
      hasAlerts = alerts.length > 0;
      await lookForTrouble(store, alerts);
    }
    if (!hasAlerts) return idleMs;
    const gather_at = await store.alerts.gather();
    const places = mostAtOnce - underWay.size;
    const share = { ofOne: mostOfOneAtOnce, underWay: [...underWay.values()] };
    const { taken, next_at } =
      places > 0 ? await store.alerts.take(places, share) : { taken: [], next_at: null };
    for (const one of taken) begin(one);
    const next = [gather_at, next_at].filter((at) => at !== null);
    if (next.length === 0) return idleMs;
    // A try that ends wakes this up; until then there may be no place for what is due.
    return Math.min(idleMs, Math.max(calmMs, Math.min(...next) - (await store.now())));
  }

  function begin(one: TakenDelivery): void {
    const trying = attempt(one)
      .catch(leaveToLater)
      .then(() => {
        underWay.delete(trying);
        wakeup.wake();
      });
    underWay.set(trying, one.alert.name);
  }

  async function attempt({ delivery, alert, age }: TakenDelivery): Promise<void> {
    const surroundings = { home, environment, settings: settings(), signal: stopping.signal };
    const reply = await send(alert, delivery, surroundings).catch(
      // Whatever a receiver makes us stumble over must not end the jobs that run here.
      (error): Reply => refused(`it could not be sent (${error.code ?? error.name})`),
    );
    const outcome = outcomeOf(reply, delivery.tries, age);
    if ((await store.alerts.settle(delivery, outcome)) && outcome.kind !== "broken_off")
      tell({ kind: "alerted", alert: alert.name, outcome });
  }

  function outcomeOf(reply: Reply, tries: number, age: number): TryOutcome {
    const { answer } = reply;
    if (reply.kind === "accepted") return { kind: "sent", answer };
    if (stopping.signal.aborted) return { kind: "broken_off" };
    const delay = reply.isFinal ? null : redeliveryDelay(tries, age, Math.random());
    const retryInMs = delay === null ? null : Math.max(delay * 1000, reply.retryAfterMs ?? 0);
    return { kind: "failed", answer, retryInMs };
  }
}
