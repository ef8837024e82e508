// Schedules on the dashboard and in the API, against the running server.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { webServer } from "../support/web-server.ts";

setDefaultTimeout(180_000);

const text = (markup: string) => markup.replace(/<[^>]*>/g, " ").replace(/\s+/g, " ");

const fields = {
  name: "nightly",
  cron: "30 2 * * *",
  tz: "Europe/Berlin",
  command: "echo <b>",
  queue: "mail",
};

describe("on the dashboard", () => {
  test("many are shown a page at a time, by their names", async () => {
    await using web = await webServer();
    const crontab = Array.from(
      { length: 60 },
      (_, n) => `0 3 * * * task-${String(n).padStart(2, "0")}\n`,
    ).join("");
    await web.q.with({ stdin: crontab }, "schedule", "import", "-");
    const first = await (await web.get("/schedules")).text();
    expect(first.match(/id="schedule-/g)).toHaveLength(50);
    expect(text(first)).toContain("50 of 60");
    const next = /rel="next" href="([^"]*)"/.exec(first)![1]!;
    const second = await (await web.get(next)).text();
    expect(second.match(/id="schedule-/g)).toHaveLength(10);
    expect(second).toContain('id="schedule-task-59"');
    expect(second).not.toContain('rel="next"');
  });

  test("what is to be added is looked at first, with its next times, and added as it was looked at", async () => {
    await using web = await webServer();
    expect(await (await web.get("/schedules")).text()).toContain("There is no schedule");
    const preview = await web.post("/schedules", fields);
    expect(preview.status).toBe(200);
    const page = await preview.text();
    expect(page).toContain("echo &lt;b&gt;");
    expect(text(page).match(/\d{4}-\d\d-\d\d 02:30:00 \+0[12]:00/g)!.length).toBeGreaterThan(3);
    expect(await web.q.json("schedule", "list")).toEqual([]);
    const sent = [...page.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)].map(
      ([, name, value]): [string, string] => [name!, value!.replaceAll("&lt;", "<").replaceAll("&gt;", ">")],
    );
    const added = await web.post("/schedules", [...sent, ["step", "add"]]);
    expect(added.status).toBe(303);
    expect(await web.q.json("schedule", "list")).toMatchObject([
      {
        name: "nightly",
        cron: "30 2 * * *",
        tz: "Europe/Berlin",
        missed: "one",
        job: { command: "echo <b>", queue: "mail" },
      },
    ]);
    const list = text(await (await web.get("/schedules")).text());
    for (const shown of ["nightly", "30 2 * * *", "Europe/Berlin", "echo &lt;b&gt;"])
      expect(list).toContain(shown);
  });

  test("what is wrong is said above the form, which keeps what was typed", async () => {
    await using web = await webServer();
    await web.q.ok("schedule", "add", "taken", "@daily", "true");
    for (const [wrong, says] of [
      [{ cron: "61 * * * *" }, "cannot be read"],
      [{ tz: "Mars" }, "Mars"],
      [{ name: "a b" }, "name of a schedule"],
      [{ command: " " }, "empty"],
      [{ jitter: "soon" }, "jitter"],
      [{ name: "taken", step: "add" }, "already"],
    ] as const) {
      const answer = await web.post("/schedules", { ...fields, ...wrong });
      expect(answer.status).toBe(422);
      const page = await answer.text();
      expect(text(page)).toContain(says);
      expect(page).toContain('value="mail"');
    }
    expect(await (await web.post("/schedules", { ...fields, step: "change" })).text()).toContain(
      'value="nightly"',
    );
    expect(await web.q.json("schedule", "list")).toHaveLength(1);
  });

  test("a command with what cannot be seen is added only when that is said to be meant", async () => {
    await using web = await webServer();
    const hidden = { ...fields, command: "rm \u202ecba", step: "add" };
    expect((await web.post("/schedules", hidden)).status).toBe(422);
    expect(await web.q.json("schedule", "list")).toEqual([]);
    expect((await web.post("/schedules", { ...hidden, sure: "yes" })).status).toBe(303);
  });

  test("run, pause and resume are done at once, delete is asked for", async () => {
    await using web = await webServer();
    await web.q.ok("schedule", "add", "a", "@daily", "echo hi");
    const act = async (verb: string) => {
      const answer = await web.post(`/schedules/a/${verb}`, { back: "/schedules" });
      expect(answer.status).toBe(303);
      return text(await (await web.get(answer.headers.get("location")!)).text());
    };
    expect(await act("run")).toContain("is in the queue");
    const [job] = await web.q.json("list");
    expect(text(await (await web.get(`/jobs/${job.id}`)).text())).toContain("a , by hand");
    expect(await act("pause")).toContain("The schedule a is paused");
    expect((await web.q.json("schedule", "show", "a")).paused).toBe(true);
    expect(await act("resume")).toContain("goes on");
    expect(text(await (await web.get("/confirm/delete-schedule/a")).text())).toContain(
      "Delete the schedule a?",
    );
    expect(await web.q.json("schedule", "list")).toHaveLength(1);
    expect(await act("delete")).toContain("is deleted");
    expect(await web.q.json("schedule", "list")).toEqual([]);
    expect((await web.post("/schedules/a/run", {})).status).toBe(404);
    expect((await web.post("/schedules/a/explode", {})).status).toBe(404);
  });
});

describe("in the API", () => {
  const body = {
    name: "a",
    cron: "*/5 * * * * *",
    tz: "UTC",
    overlap: "queue",
    jitter: 2,
    job: { command: "true", env: { API_TOKEN: "secret", A: "1" } },
  };

  test("a schedule is put, as often as one likes, at the address of its name", async () => {
    await using web = await webServer();
    for (const command of ["first", "second"]) {
      const put = await web.api("PUT", "/schedules/a", { ...body, job: { command } });
      expect([put.status, await put.json()]).toMatchObject([200, { name: "a", job: { command } }]);
    }
    expect(await web.q.json("schedule", "list")).toHaveLength(1);
    const other = await web.api("PUT", "/schedules/b", body);
    expect([other.status, await other.text()]).toEqual([422, expect.stringContaining("address of b")]);
  });

  test("a job made by hand queues behind those of the times, where these queue", async () => {
    await using web = await webServer();
    await web.api("POST", "/schedules", body);
    const run = await web.api("POST", "/schedules/a/run");
    expect(await run.json()).toMatchObject({ key: "schedule a" });
  });

  test("what was shown of a schedule is put back with another time, and its hidden values stay what they are", async () => {
    await using web = await webServer();
    const added = await web.api("POST", "/schedules", body);
    const { job } = (await added.json()) as { job: { env: Record<string, string> } };
    const put = (env: Record<string, string>) =>
      web.api("PUT", "/schedules/a", { ...body, cron: "@hourly", job: { ...job, env } });
    const answer = await put(job.env);
    expect([answer.status, await answer.text()]).toEqual([200, expect.not.stringContaining("secret")]);
    expect(await web.q.json("schedule", "show", "a")).toMatchObject({
      cron: "@hourly",
      job: { env: { API_TOKEN: "secret", A: "1" } },
    });
    expect((await put({ API_TOKEN: "another" })).status).toBe(200);
    expect((await web.q.json("schedule", "show", "a")).job.env.API_TOKEN).toBe("another");
  });

  test("a schedule is added, shown without its secrets, changed and deleted", async () => {
    await using web = await webServer();
    const added = await web.api("POST", "/schedules", body);
    expect([added.status, added.headers.get("location")]).toEqual([201, "/api/v1/schedules/a"]);
    const schedule = (await added.json()) as Record<string, unknown>;
    expect(schedule).toMatchObject({
      ...body,
      missed: "one",
      job: { command: "true", env: { API_TOKEN: "***", A: "1" } },
    });
    expect(schedule.job).not.toHaveProperty("after");
    expect((await web.q.json("schedule", "show", "a")).job.env.API_TOKEN).toBe("secret");
    expect(await (await web.api("GET", "/schedules")).json()).toEqual({ data: [schedule], next: null });
    expect(await (await web.api("POST", "/schedules/a/pause")).json()).toMatchObject({
      paused: true,
      next_at: null,
    });
    expect(await (await web.api("POST", "/schedules/a/resume")).json()).toMatchObject({ paused: false });
    const run = await web.api("POST", "/schedules/a/run");
    expect(run.status).toBe(201);
    const { id } = (await run.json()) as { id: string };
    expect(await (await web.api("GET", `/jobs/${id}`)).json()).toMatchObject({
      schedule: "a",
      scheduled_for: null,
    });
    const shown = (await (await web.api("GET", "/schedules/a")).json()) as {
      runs: unknown[];
      next_times: string[];
    };
    expect(shown.runs).toMatchObject([{ id, scheduled_for: null }]);
    expect(shown.next_times).toHaveLength(5);
    expect((await web.api("DELETE", "/schedules/a")).status).toBe(204);
    expect((await web.api("GET", "/schedules/a")).status).toBe(404);
  });

  for (const [wrong, status] of [
    [{ cron: "every day" }, 422],
    [{ cron: undefined }, 422],
    [{ missed: "some" }, 422],
    [{ job: { command: "true", id: "x" } }, 422],
    [{ job: { comand: "true" } }, 422],
    [{ extra: 1 }, 422],
    [{ name: "taken" }, 409],
  ] as const) {
    test(`${JSON.stringify(wrong)} is refused with ${status}`, async () => {
      await using web = await webServer();
      await web.q.ok("schedule", "add", "taken", "@daily", "true");
      const answer = await web.api("POST", "/schedules", { ...body, ...wrong });
      expect(answer.status).toBe(status);
      expect(await web.q.json("schedule", "list")).toHaveLength(1);
    });
  }

  test("a token to read sees schedules and changes none, one to operate adds none", async () => {
    await using web = await webServer({ words: ["--require-token"] });
    const token = (scope: string) => web.q.ok("web", "token", "--scope", scope);
    const [read, operate] = [await token("read"), await token("operate")].map((one) => ({
      authorization: `Bearer ${one}`,
    }));
    expect((await web.api("GET", "/schedules", undefined, read)).status).toBe(200);
    expect((await web.api("POST", "/schedules/a/pause", undefined, read)).status).toBe(403);
    expect((await web.api("POST", "/schedules", body, operate)).status).toBe(403);
  });
});
