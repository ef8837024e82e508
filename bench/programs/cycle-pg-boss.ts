// pg-boss's part of postgres: one process fetches and completes as many jobs at a time as it is told, in a loop of its own, which is
// faster than its polling worker.

export {};

const [database, batch, , library] = process.argv.slice(2) as [string, string, string, string];
const { PgBoss } = await import(library);
const boss = new PgBoss({ connectionString: database, supervise: false, schedule: false, migrate: false });
boss.on("error", console.error);
await boss.start();
console.log("ready");
await Bun.stdin.text();

let done = 0;
for (;;) {
  const jobs: { id: string }[] = await boss.fetch("noop", { batchSize: Number(batch) });
  if (jobs.length === 0) break;
  await boss.complete(
    "noop",
    jobs.map(({ id }) => id),
  );
  done += jobs.length;
}
console.log(JSON.stringify({ done }));
await boss.stop({ graceful: false });
process.exit(0);
