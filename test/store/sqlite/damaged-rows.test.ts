// Rows that another program, or a dying disk, left in no shape that queuectl writes: said plainly, never a stack trace.

import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import fc from "fast-check";
import { Refusal } from "../../../src/domain/errors.ts";
import { attemptJson, jobJson } from "../../../src/domain/json.ts";
import { openSqlite } from "../../../src/store/sqlite/open.ts";
import { queuectl } from "../../support/queuectl.ts";
import { newJob, runningJob } from "../../support/sample-jobs.ts";
import { tempFolder } from "../../support/temp-home.ts";

setDefaultTimeout(300_000);

const numRuns = Number(process.env.FUZZ_RUNS ?? 300);

/** What strict tables let into a column: a text, and in columns that allow it nothing. */
const texts = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.json(),
  fc.constantFrom("", "null", "[1]", '{"A":1}', "[]", "{}"),
);
const numbers = fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.constantFrom(0, -1, 8.64e15));

const textColumns = ["command", "queue", "tags", "cwd", "env", "last_error", "worker_id"];
const numberColumns = [
  "attempts",
  "max_retries",
  "priority",
  "run_at",
  "next_run_at",
  "created_at",
  "finished_at",
];

test("whatever stands in a row of jobs, reading it ends in a job or in a refusal", async () => {
  using folder = tempFolder();
  const path = join(folder.path, "queue.db");
  await using store = await openSqlite({ path });
  await runningJob(store, newJob({ id: "a" }));
  using db = new Database(path);
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.constantFrom(...textColumns), texts),
      fc.dictionary(fc.constantFrom(...numberColumns), numbers),
      async (textsOf, numbersOf) => {
        db.run("update jobs set tags = '[]', env = '{}'");
        for (const [column, value] of Object.entries({ ...textsOf, ...numbersOf })) {
          db.query(`update jobs set ${column} = $value`).run({ $value: value });
        }
        try {
          const job = await store.jobs.find("a");
          JSON.stringify(jobJson(job));
          for (const attempt of await store.jobs.attempts(job.seq)) JSON.stringify(attemptJson(attempt));
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal);
        }
      },
    ),
    { numRuns },
  );
});

test("a job whose row is damaged is named by every command that meets it", async () => {
  await using q = queuectl();
  await q.ok("enqueue", "true", "--id", "a", "--tag", "t");
  {
    using db = new Database(join(q.home, "queue.db"));
    db.run("update jobs set tags = '[broken'");
  }
  const shown = await q("show", "a");
  expect(shown).toMatchObject({ status: 1, stdout: "" });
  expect(shown.stderr).toBe(
    "queuectl: job a is damaged in the database: its tags cannot be read (queuectl delete a removes it; a backup has it as it was)\n",
  );
  await q.ok("enqueue", "true", "--id", "b");
  expect(await q("list", "--json")).toMatchObject({ status: 0, stderr: shown.stderr });
  expect(await q.json("list")).toMatchObject([{ id: "b" }]);
  await q.ok("config", "set", "backoff_base", "0");
  expect((await q("worker", "--until-empty")).stderr).toContain("job a is damaged");
  expect(await q.json("status")).toMatchObject({ completed: 1, dead: 1 });
  expect((await q("dlq", "list")).stderr).toBe(shown.stderr);
  await q.ok("dlq", "delete", "a");
  expect(await q("list")).toMatchObject({ status: 0, stderr: "" });
});

test("a worker goes on when a job whose retention is over is damaged", async () => {
  await using q = queuectl();
  await q.ok("enqueue", "true", "--id", "a", "--tag", "t");
  await q.ok("worker", "--until-empty");
  {
    using db = new Database(join(q.home, "queue.db"));
    db.run("update jobs set tags = '[broken', finished_at = 0");
  }
  expect(await q("worker", "--until-empty")).toMatchObject({ status: 0 });
  expect(await q.json("list")).toEqual([]);
});

test("a stored setting that cannot be read is named with the way out, and that way works", async () => {
  await using q = queuectl();
  await q.ok("enqueue", "true");
  {
    using db = new Database(join(q.home, "queue.db"));
    db.run("insert into settings (key, value) values ('timeout', 'nonsense')");
  }
  const refused = await q("enqueue", "true");
  expect(refused.status).not.toBe(0);
  expect(refused.stderr).toContain("queuectl config unset timeout");
  await q.ok("config", "unset", "timeout");
  await q.ok("enqueue", "true");
});
