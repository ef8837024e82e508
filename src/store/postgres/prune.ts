// What nobody looks at any more, removed in small steps: figures of long ago, and what enqueues that were cut off have left.

import type { SQL } from "bun";
import { hourMs, keptBuckets, keptDurationsMs } from "../run-bins.ts";
import { abandonedMs } from "./bulk-enqueue.ts";

/** By the moment `now`, up to `limit` rows of each kind. */
export async function forgetOld(tx: SQL, now: number, limit: number): Promise<void> {
  await tx`select queuectl.add_up()`;
  for (const [width, keepMs] of keptBuckets) {
    await tx`
      delete from queuectl.run_buckets where (width, start) in (
        select width, start from queuectl.run_buckets where width = ${width} and start < ${now - keepMs}
        order by start limit ${limit} for update skip locked
      )
    `;
  }
  await tx`
    delete from queuectl.run_durations where (hour, bin) in (
      select hour, bin from queuectl.run_durations where hour < ${now - (now % hourMs) - keptDurationsMs}
      order by hour, bin limit ${limit} for update skip locked
    )
  `;
  await tx`
    delete from queuectl.staged where (batch, place) in (
      select batch, place from queuectl.staged where batch < ${firstBatchSince(now - abandonedMs)}::uuid
      order by batch, place limit ${limit} for update skip locked
    )
  `;
}

/** The least name that an enqueue which began at this moment may have: a UUID of version 7 begins with the moment. */
export const firstBatchSince = (moment: number) =>
  `${moment
    .toString(16)
    .padStart(12, "0")
    .replace(/^(.{8})/, "$1-")}-0000-0000-000000000000`;
