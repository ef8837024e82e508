// Workers, and the processes they live in. `--count 3` is one process with three workers.

/** What tells one process from all others, also after its pid was used again or the machine was started anew. */
export interface ProcessIdentity {
  readonly host: string;
  /** Differs after each start of the machine; empty where it cannot be known. */
  readonly boot_id: string;
  /** Differs between containers; empty where it cannot be known. */
  readonly pid_namespace: string;
  readonly pid: number;
  /** When the process was started, in the kernel's own words; empty where it cannot be known. */
  readonly pid_start: string;
}

export const workerStates = ["idle", "busy", "stopping", "dead"] as const;

/** `dead`: its process is gone; said by whoever looks, and never stored. */
export type WorkerState = (typeof workerStates)[number];

/**
 * How a worker was asked to stop: finish what it runs, give it back, or leave it running for the next worker to take over.
 */
export type StopOrder = "finish" | "release" | "leave";

export interface Worker {
  /** `worker-` and a short text. */
  readonly id: string;
  readonly pid: number;
  readonly host: string;
  readonly state: WorkerState;
  /** The job it runs now. */
  readonly job_id: string | null;
  /** Which queues it serves; null for all. */
  readonly queues: readonly string[] | null;
  readonly version: string;
  readonly started_at: number;
  readonly heartbeat_at: number;
}

/** Whether a worker takes jobs of a queue, or will when it is done with what it has. */
export const serves = ({ state, queues }: Worker, queue: string): boolean =>
  state !== "dead" && state !== "stopping" && (queues?.includes(queue) ?? true);

/** A process with its workers, as others need to know it to see whether it lives. */
export interface WorkerProcess {
  readonly process_id: number;
  readonly identity: ProcessIdentity;
  /** Its home folder. */
  readonly home: string;
  readonly worker_ids: readonly string[];
  readonly heartbeat_at: number;
  /** When others may take its jobs unless it renews this; null where that does not depend on time. */
  readonly lease_until: number | null;
}
