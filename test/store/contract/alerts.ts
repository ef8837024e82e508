import { describe, expect, test } from "bun:test";
import { type Alert, mostWaiting, type NewAlert } from "../../../src/domain/alert.ts";
import type { Message } from "../../../src/domain/alert-message.ts";
import { keptDeliveries, type TakenDelivery, triedForMs } from "../../../src/store/alerts.ts";
import type { Store } from "../../../src/store/store.ts";
import { sampleAlert } from "../../support/sample-alerts.ts";
import {
  endedAs,
  exitWith,
  jobIn,
  newJob,
  refusalOf,
  runningJob,
  settle,
} from "../../support/sample-jobs.ts";
import type { MakeStore, TempStore } from "../../support/temp-store.ts";

const second = 1000;

const messagesOf = (taken: readonly TakenDelivery[]): Message[] =>
  taken.map(({ delivery }) => JSON.parse(delivery.message));

/** Makes messages of what happened, and delivers those that are due. */
async function gathered(store: Store): Promise<Message[]> {
  await store.alerts.gather();
  const { taken } = await store.alerts.take(200);
  for (const { delivery } of taken) await store.alerts.settle(delivery, { kind: "sent", answer: "200" });
  return messagesOf(taken);
}

/** So many queues that back up, which is quicker to make than jobs that die. */
const backlogs = (count: number) =>
  Array.from({ length: count }, (_, n) => ({
    mark: `queue ${n}`,
    event: "backlog" as const,
    about: { queue: `q${n}`, waiting: 9, oldest_wait: null },
  }));

const idsIn = (messages: readonly Message[]) =>
  messages.map(({ data }) => data.jobs.map(({ id }) => id)).toSorted();

export function alertsContract(makeStore: MakeStore): void {
  const withAlert = async (wanted: Partial<NewAlert> = {}): Promise<TempStore & { alert: Alert }> => {
    const temp = await makeStore();
    return { ...temp, alert: await temp.store.alerts.add(sampleAlert(wanted)) };
  };

  describe("alerts", () => {
    test("an alert is there for everyone, with all that was said of it", async () => {
      await using temp = await makeStore();
      const wanted = sampleAlert({
        events: ["dead", "slow", "backlog"],
        queue: "mail",
        longer_than: 1.5,
        more_than: 7,
        older_than: 60,
        gather: 0,
        secret: "whsec_x",
        cwd: "/",
      });
      const expected: Alert = {
        ...wanted,
        paused: false,
        created_at: temp.clock.now,
        updated_at: temp.clock.now,
        untold: 0,
        waiting: 0,
        given_up: 0,
        last: null,
      };
      expect(await temp.store.alerts.add(wanted)).toEqual(expected);
      const other = (await temp.another()).alerts;
      expect(await other.find("deaths")).toEqual(expected);
      expect(await other.list()).toEqual([expected]);
    });

    test("they are listed by name, found by their very name only, and a taken name is refused", async () => {
      await using temp = await makeStore();
      const { alerts } = temp.store;
      expect(await alerts.list()).toEqual([]);
      for (const name of ["b", "a.1", "B"]) await alerts.add(sampleAlert({ name }));
      expect((await alerts.list()).map(({ name }) => name)).toEqual(["B", "a.1", "b"]);
      for (const name of ["a", "A.1", "", "%"]) {
        for (const ask of [alerts.find, alerts.pause, alerts.resume, alerts.remove])
          expect((await refusalOf(ask(name))).kind).toBe("not_found");
      }
      const refusal = await refusalOf(alerts.add(sampleAlert({ name: "b" })));
      expect([refusal.kind, refusal.message]).toEqual(["conflict", "there already is an alert b"]);
    });
  });

  describe("what an alert is told of", () => {
    test("a job that dies is, with the job as it is then and without its environment", async () => {
      await using temp = await withAlert();
      const { store, clock } = temp;
      const env = { API_TOKEN: "very-secret-1" };
      const { job, lease } = await runningJob(store, { command: "send very-secret-1", env, max_retries: 0 });
      clock.now += second;
      await settle(store, lease, exitWith(3, { error: "exit status 3" }));
      const [message, ...others] = await gathered(store);
      expect(others).toEqual([]);
      expect(message).toMatchObject({
        type: "job.dead",
        timestamp: new Date(clock.now).toISOString(),
        text: `job ${job.id} is dead after 1 attempt: exit status 3`,
        data: {
          alert: "deaths",
          count: 1,
          queues: [],
          jobs: [{ id: job.id, state: "dead", attempts: 1, command: "send ***", last_exit_code: 3 }],
        },
      });
      expect(JSON.stringify(message)).not.toContain("very-secret");
    });

    test("a failure that is retried is not, nor is a cancellation; a job that is lost too often is", async () => {
      await using temp = await withAlert({ events: ["dead", "completed"] });
      const { store } = temp;
      await jobIn(store, "failed");
      await jobIn(store, "cancelled");
      const released = await runningJob(store);
      await settle(store, released.lease, endedAs("released"));
      expect(await gathered(store)).toEqual([]);
      const { job, lease } = await runningJob(store);
      await settle(store, lease, endedAs("lost"), { max_lost: 1 });
      expect(idsIn(await gathered(store))).toEqual([[job.id]]);
    });

    test("only what it chose is: by what happened, by queue, by tag", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const wanted: Partial<NewAlert>[] = [
        { name: "dead" },
        { name: "completed", events: ["completed"] },
        { name: "both", events: ["completed", "dead"], gather: 0 },
        { name: "queue", queue: "mail" },
        { name: "tag", tag: "big" },
        { name: "queue-and-tag", queue: "mail", tag: "big" },
      ];
      for (const one of wanted) await store.alerts.add(sampleAlert(one));
      await jobIn(store, "dead", { id: "plain" });
      await jobIn(store, "dead", { id: "mail", queue: "mail", tags: ["x"] });
      await jobIn(store, "dead", { id: "big", queue: "mail", tags: ["x", "big"] });
      await jobIn(store, "completed", { id: "fine", tags: ["big"] });
      const told = Object.groupBy(await gathered(store), ({ data }) => data.alert);
      const ids = (name: string) =>
        told[name]!.flatMap(({ data }) => data.jobs.map(({ id }) => id)).toSorted();
      expect(ids("dead")).toEqual(["big", "mail", "plain"]);
      expect(ids("completed")).toEqual(["fine"]);
      expect(ids("both")).toEqual(["big", "fine", "mail", "plain"]);
      expect(ids("queue")).toEqual(["big", "mail"]);
      expect(ids("tag")).toEqual(["big"]);
      expect(ids("queue-and-tag")).toEqual(["big"]);
    });

    test("a stale settlement is told of by nobody, and a settlement given twice once", async () => {
      await using temp = await withAlert({ events: ["completed"], gather: 0 });
      const { store } = temp;
      const { lease } = await runningJob(store);
      await settle(store, { ...lease, lease_seq: lease.lease_seq + 1 }, exitWith(0));
      await settle(store, lease, exitWith(0));
      await settle(store, lease, exitWith(0));
      expect(await gathered(store)).toHaveLength(1);
    });

    test("it is told although the job was deleted meanwhile", async () => {
      await using temp = await withAlert();
      const { store } = temp;
      const { seq, id } = await jobIn(store, "dead");
      await store.jobs.delete([seq]);
      expect(idsIn(await gathered(store))).toEqual([[id]]);
    });

    test("nothing that happens while it is paused, and its messages wait until it is resumed", async () => {
      await using temp = await withAlert();
      const { store } = temp;
      const { id } = await jobIn(store, "dead");
      await store.alerts.gather();
      expect(await store.alerts.pause("deaths")).toMatchObject({ paused: true, waiting: 1 });
      await jobIn(store, "dead");
      expect(await gathered(store)).toEqual([]);
      expect(await store.alerts.resume("deaths")).toMatchObject({ paused: false });
      expect(idsIn(await gathered(store))).toEqual([[id]]);
    });

    test("nothing once it is removed, also of one of the same name that is added then", async () => {
      await using temp = await withAlert();
      const { store } = temp;
      await jobIn(store, "dead");
      await store.alerts.gather();
      await jobIn(store, "dead");
      await store.alerts.remove("deaths");
      expect(await store.alerts.list()).toEqual([]);
      await store.alerts.add(sampleAlert());
      expect(await gathered(store)).toEqual([]);
    });
  });

  describe("many things at once", () => {
    test("the first is told at once; what follows within the minute becomes one message with the first few", async () => {
      await using temp = await withAlert();
      const { store, clock } = temp;
      const { id } = await jobIn(store, "dead");
      expect(idsIn(await gathered(store))).toEqual([[id]]);
      const made = clock.now;
      const ids: string[] = [];
      for (let n = 0; n < 8; n++) {
        clock.now += second;
        ids.push((await jobIn(store, "dead")).id);
        expect(await store.alerts.gather()).toBe(made + 60 * second);
      }
      expect(await store.alerts.find("deaths")).toMatchObject({ untold: 8, waiting: 0 });
      clock.now = made + 60 * second - 1;
      expect(await gathered(store)).toEqual([]);
      clock.now++;
      const [message, ...others] = await gathered(store);
      expect(others).toEqual([]);
      expect(message).toMatchObject({ text: "8 jobs are dead", data: { count: 8 } });
      expect(message!.data.jobs.map((job) => job.id)).toEqual(ids.slice(0, 5));
      expect(await store.alerts.gather()).toBeNull();
    });

    test("each kind of thing has its own message", async () => {
      await using temp = await withAlert({ events: ["dead", "completed"] });
      await jobIn(temp.store, "dead");
      await jobIn(temp.store, "completed");
      const types = (await gathered(temp.store)).map(({ type }) => type);
      expect(types.toSorted()).toEqual(["job.completed", "job.dead"]);
    });

    test("with nothing gathered each thing is a message, until a hundred wait: the rest becomes one", async () => {
      await using temp = await withAlert({ gather: 0, events: ["backlog"], more_than: 1 });
      const { store } = temp;
      const happen = (times: number) => store.alerts.stand("deaths", backlogs(times));
      await happen(3);
      await store.alerts.gather();
      expect((await store.alerts.find("deaths")).waiting).toBe(3);
      await happen(mostWaiting);
      await store.alerts.gather();
      expect((await store.alerts.find("deaths")).waiting).toBe(mostWaiting);
      await happen(mostWaiting + 9);
      expect(await store.alerts.gather()).toBeNull();
      expect((await store.alerts.find("deaths")).waiting).toBe(mostWaiting);
      const { taken } = await store.alerts.take(1);
      await store.alerts.settle(taken[0]!.delivery, { kind: "sent", answer: "200" });
      await store.alerts.gather();
      const rest = messagesOf((await store.alerts.take(200)).taken);
      expect(rest).toHaveLength(mostWaiting);
      const [one, ...others] = rest.filter(({ data }) => data.count > 1);
      expect([one, others]).toMatchObject([{ text: "9 queues back up", data: { count: 9 } }, []]);
      expect(one!.data.queues).toHaveLength(5);
    });

    test("of two who gather at once, each thing comes into one message", async () => {
      await using temp = await withAlert({ gather: 0, events: ["backlog"], more_than: 1 });
      const { store } = temp;
      const other = await temp.another();
      await store.alerts.stand("deaths", backlogs(20));
      await Promise.all([store.alerts.gather(), other.alerts.gather(), store.alerts.gather()]);
      const [one, two] = await Promise.all([store.alerts.take(15), other.alerts.take(15)]);
      const left = await store.alerts.take(15);
      const messages = messagesOf([...one.taken, ...two.taken, ...left.taken]);
      const queues = messages.flatMap(({ data }) => data.queues.map(({ queue }) => queue));
      const expected = backlogs(20).map(({ about }) => about.queue);
      expect(queues.toSorted()).toEqual(expected.toSorted());
    });
  });

  describe("delivering", () => {
    const oneMessage = async () => {
      const temp = await withAlert();
      await jobIn(temp.store, "dead");
      await temp.store.alerts.gather();
      return temp;
    };

    test("a message is given to one, with its alert, and to another when it was not heard of again", async () => {
      await using temp = await oneMessage();
      const { store, clock } = temp;
      const [first] = (await store.alerts.take(10)).taken;
      expect(first).toMatchObject({ alert: sampleAlert(), age: 0 });
      expect(first!.delivery).toMatchObject({ state: "waiting", tries: 1, tried_at: clock.now });
      const again = await (await temp.another()).alerts.take(10);
      expect(again).toEqual({ taken: [], next_at: clock.now + triedForMs });
      clock.now += triedForMs;
      const [second] = (await store.alerts.take(10)).taken;
      expect(second!.delivery).toMatchObject({ id: first!.delivery.id, tries: 2 });
      expect(await store.alerts.settle(first!.delivery, { kind: "sent", answer: "late" })).toBe(false);
      expect(await store.alerts.settle(second!.delivery, { kind: "sent", answer: "200 OK" })).toBe(true);
      expect(await store.alerts.find("deaths")).toMatchObject({
        waiting: 0,
        given_up: 0,
        last: { state: "sent", tries: 2, answer: "200 OK", due_at: null },
      });
      expect(await store.alerts.take(10)).toEqual({ taken: [], next_at: null });
    });

    test("of one alert no more are given than may be under way at once; those of others come meanwhile", async () => {
      await using temp = await withAlert({ gather: 0, events: ["backlog"], more_than: 1 });
      const { store, clock } = temp;
      await store.alerts.stand("deaths", backlogs(5));
      await store.alerts.gather();
      clock.now += second;
      await store.alerts.add(sampleAlert({ name: "other" }));
      await jobIn(store, "dead");
      await store.alerts.gather();
      const given = async (underWay: readonly string[]) => {
        const { taken, next_at } = await store.alerts.take(10, { ofOne: 2, underWay });
        return [taken.map(({ alert }) => alert.name), next_at] as const;
      };
      const tried = clock.now + triedForMs;
      const full = ["deaths", "deaths"];
      expect(await given(full)).toEqual([["other"], tried]);
      expect(await given(["other", ...full])).toEqual([[], tried]);
      expect(await given(["deaths", "other"])).toEqual([["deaths"], tried]);
      expect(await given([])).toEqual([["deaths", "deaths"], tried]);
      expect((await store.alerts.take(10)).taken).toHaveLength(2);
    });

    test("a message that was refused comes again after its delay", async () => {
      await using temp = await oneMessage();
      const { store, clock } = temp;
      const [first] = (await store.alerts.take(10)).taken;
      await store.alerts.settle(first!.delivery, { kind: "failed", answer: "503", retryInMs: 5 * second });
      expect((await store.alerts.take(10)).next_at).toBe(clock.now + 5 * second);
      expect(await store.alerts.find("deaths")).toMatchObject({ waiting: 1, last: { answer: "503" } });
      clock.now += 5 * second;
      expect((await store.alerts.take(10)).taken).toMatchObject([{ delivery: { tries: 2 }, age: 5 }]);
    });

    test("a message does not wait for a clock that was set back, and then for no longer than it has to", async () => {
      await using temp = await oneMessage();
      const { store, clock } = temp;
      clock.now -= 3600 * second;
      const [first] = (await store.alerts.take(10)).taken;
      expect(first!.delivery.tries).toBe(1);
      await store.alerts.settle(first!.delivery, { kind: "failed", answer: "503", retryInMs: 5 * second });
      expect(await store.alerts.take(10)).toEqual({ taken: [], next_at: clock.now + 5 * second });
      clock.now -= 3600 * second;
      expect((await store.alerts.take(10)).taken).toMatchObject([{ delivery: { tries: 2 } }]);
      expect((await store.alerts.take(10)).taken).toEqual([]);
    });

    test("one that was taken is not given to whoever looked at the clock a moment before", async () => {
      await using temp = await oneMessage();
      const { store, clock } = temp;
      expect((await store.alerts.take(10)).taken).toHaveLength(1);
      clock.now -= 10;
      expect((await store.alerts.take(10)).taken).toEqual([]);
    });

    test("one that is given up is counted, and kept to be looked at", async () => {
      await using temp = await oneMessage();
      const { store } = temp;
      const [first] = (await store.alerts.take(10)).taken;
      await store.alerts.settle(first!.delivery, { kind: "failed", answer: "410", retryInMs: null });
      expect(await store.alerts.find("deaths")).toMatchObject({ waiting: 0, given_up: 1 });
      expect(await store.alerts.deliveries("deaths", 5)).toMatchObject([
        { state: "given_up", answer: "410" },
      ]);
      expect(await store.alerts.take(10)).toEqual({ taken: [], next_at: null });
    });

    test("a try that is broken off counts as none", async () => {
      await using temp = await oneMessage();
      const { store } = temp;
      const [first] = (await store.alerts.take(10)).taken;
      expect(await store.alerts.settle(first!.delivery, { kind: "broken_off" })).toBe(true);
      expect((await store.alerts.take(10)).taken).toMatchObject([{ delivery: { tries: 1 } }]);
    });

    test("of those that are done with, the newest are kept", async () => {
      await using temp = await withAlert({ gather: 0, events: ["backlog"], more_than: 1 });
      const { store, clock } = temp;
      await store.alerts.stand("deaths", backlogs(3));
      await gathered(store);
      clock.now += second;
      await store.alerts.stand("deaths", backlogs(3 + keptDeliveries));
      await gathered(store);
      const kept = await store.alerts.deliveries("deaths", 100);
      expect(kept).toHaveLength(keptDeliveries);
      expect(new Set(kept.map(({ created_at }) => created_at))).toEqual(new Set([clock.now]));
    });
  });

  describe("what stands", () => {
    test("is told of once, by one, and again only after it was over", async () => {
      await using temp = await withAlert({ events: ["backlog"], more_than: 5, gather: 0 });
      const { store } = temp;
      const other = await temp.another();
      const line = (queue: string) => ({
        mark: `queue ${queue}`,
        event: "backlog" as const,
        about: { queue, waiting: 9, oldest_wait: null },
      });
      await Promise.all([
        store.alerts.stand("deaths", [line("a")]),
        other.alerts.stand("deaths", [line("a")]),
        store.alerts.stand("deaths", [line("a")]),
      ]);
      await store.alerts.stand("deaths", [line("a"), line("b")]);
      expect([...(await other.alerts.marks("deaths"))].sort()).toEqual(["queue a", "queue b"]);
      const told = (await gathered(store)).toSorted((a, b) => (a.text < b.text ? -1 : 1));
      expect(told.map(({ data }) => data.queues)).toEqual([
        [{ queue: "a", waiting: 9, oldest_wait: null }],
        [{ queue: "b", waiting: 9, oldest_wait: null }],
      ]);
      expect(told[0]).toMatchObject({ type: "queue.backlog", text: "queue a backs up: 9 jobs wait" });
      await store.alerts.stand("deaths", [line("b")]);
      expect(await gathered(store)).toEqual([]);
      await store.alerts.stand("deaths", [line("a"), line("b")]);
      expect((await gathered(store)).map(({ text }) => text)).toEqual(["queue a backs up: 9 jobs wait"]);
    });

    test("may be a job that runs", async () => {
      await using temp = await withAlert({ events: ["slow"], longer_than: 60 });
      const { store, clock } = temp;
      const early = await runningJob(store, { tags: ["x"], env: { A: "1" } });
      clock.now += second;
      await runningJob(store);
      const running = await store.alerts.runningSince(clock.now - 1);
      expect(running).toEqual([{ job: early.job, attempt: 1 }]);
      expect(await store.alerts.runningSince(clock.now)).toHaveLength(2);
      await store.alerts.stand("deaths", [{ mark: "run", event: "slow", about: running[0]!.job }]);
      expect(await gathered(store)).toMatchObject([
        { type: "job.slow", data: { jobs: [{ id: early.job.id, tags: ["x"], state: "processing" }] } },
      ]);
      await settle(store, early.lease, exitWith(0));
      expect(await store.alerts.runningSince(clock.now)).toHaveLength(1);
    });

    test("jobs that could run are counted, up to a limit, and those that wait for their moment are not", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      for (let n = 0; n < 3; n++) await store.jobs.enqueue(newJob());
      await store.jobs.enqueue(newJob({ run_at: clock.now + second }));
      await store.jobs.enqueue(newJob({ queue: "other" }));
      await runningJob(store, { queue: "default" });
      expect(await store.alerts.readyJobs("default", 10)).toBe(3);
      expect(await store.alerts.readyJobs("default", 2)).toBe(2);
      expect(await store.alerts.readyJobs("nobody", 10)).toBe(0);
      clock.now += second;
      expect(await store.alerts.readyJobs("default", 10)).toBe(4);
      expect(await store.alerts.readyJobs("default", 4)).toBe(4);
    });
  });
}
