// The schema and its history: one folder a step, each in a transaction of its own.

import { Refusal } from "../../domain/errors.ts";
import { type Connection, directMark, type QueueHere } from "./connection.ts";
import counting from "./migrations/001_initial/counting.sql" with { type: "text" };
import ends from "./migrations/001_initial/ends.sql" with { type: "text" };
import exchange from "./migrations/001_initial/exchange.sql" with { type: "text" };
import keys from "./migrations/001_initial/keys.sql" with { type: "text" };
import limits from "./migrations/001_initial/limits.sql" with { type: "text" };
import lines from "./migrations/001_initial/lines.sql" with { type: "text" };
import output from "./migrations/001_initial/output.sql" with { type: "text" };
import tables from "./migrations/001_initial/tables.sql" with { type: "text" };
import { isMissing, throughPooler } from "./trouble.ts";

/** Tables first, then views and functions by subject, each behind what it is made of. */
const initial = [tables, counting, lines, limits, keys, output, ends, exchange].join("\n");

/** Step n leads from schema n to schema n + 1. */
export const schemaSteps: readonly string[] = [initial];

/** Held while the schema is changed, so that one process does it; any number that nobody else uses. "qctlschm" in ASCII. */
const migrationLock = 0x7163746c7363686dn;

/**
 * Brings the schema up to date, and refuses one that is newer than this program, or behind a pooler nobody told of. Returns the queue
 * that lies there, and whether it was moved away.
 */
export async function migrate(connection: Connection, steps = schemaSteps): Promise<Found> {
  let { version, direct, ...found } = await metaOf(connection);
  while (version < steps.length) {
    await connection.write(async (tx) => {
      await tx`select pg_advisory_xact_lock(${migrationLock})`;
      const current = await versionOf(tx);
      if (current >= steps.length) return;
      if (current === 0) await tx`create schema if not exists queuectl`;
      await tx.unsafe(steps[current]!);
      await (current === 0
        ? tx`insert into queuectl.meta (version) values (${current + 1})`
        : tx`update queuectl.meta set version = ${current + 1}`);
    }, "late");
    ({ version, direct, ...found } = await metaOf(connection));
  }
  if (!connection.pooled && !direct) throw throughPooler(connection.shown);
  if (version > steps.length) {
    throw new Refusal(
      "unusable",
      `${connection.shown} has schema ${version}, this queuectl knows up to ${steps.length}`,
      "use the newer queuectl that made it",
    );
  }
  return found;
}

interface Found {
  readonly here: QueueHere;
  readonly isMoved: boolean;
}

interface Meta extends Found {
  readonly version: number;
  readonly direct: boolean;
}

const noMeta: Meta = { version: 0, direct: false, here: { id: "", made: "" }, isMoved: false };

async function metaOf({ tell, plainly }: Connection): Promise<Meta> {
  try {
    const [meta] = await tell(
      (sql) => sql`
        select version, current_setting(${directMark}, true) is not null as direct,
          json_build_object('id', id, 'made', tableoid::text) as here, to_regclass('queuectl.moved') is not null as "isMoved"
        from queuectl.meta
      `,
    );
    return meta ?? noMeta;
  } catch (error) {
    if (isMissing(error)) return noMeta;
    throw plainly(error);
  }
}

/** 0 where there is none. Asked without causing an error, which would end the transaction. */
export async function versionOf(tx: Bun.SQL): Promise<number> {
  const [{ exists }] = await tx`select to_regclass('queuectl.meta') is not null as exists`;
  if (!exists) return 0;
  return (await tx`select version from queuectl.meta`)[0]?.version ?? 0;
}
