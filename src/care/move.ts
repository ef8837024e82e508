// Moves a whole queue from one database to another, or not at all. While it is copied nobody can change it; afterwards the old one
// is there to be read, and says where the queue went.

import { resolve } from "node:path";
import { counted } from "../domain/counted.ts";
import { misuse, Refusal } from "../domain/errors.ts";
import { databasePath, ensureHome } from "../home.ts";
import { livenessOf } from "../runner/process-identity.ts";
import type { Place } from "../store/open.ts";
import { isPostgresUrl } from "../store/postgres/address.ts";
import { arrivePostgres, departPostgres, undoMovePostgres } from "../store/postgres/transfer.ts";
import { isInDoubt } from "../store/postgres/trouble.ts";
import { arriveSqlite, departSqlite, undoMoveSqlite } from "../store/sqlite/transfer.ts";
import { type Arrive, copyQueue, type Depart, type Departure, type Tally } from "../store/transfer.ts";
import { some } from "./finding.ts";
import { moveOutput, refuseOtherLogs, removeOutput } from "./move-output.ts";

export interface Move {
  readonly from: Place;
  readonly to: Place;
  readonly onProgress: (copied: number, jobs: number) => void;
}

export interface Moved {
  /** Where the queue is now, as messages call it. */
  readonly place: string;
  readonly tally: Tally;
}

/** The place that a word names: a URL, `sqlite` for the home folder, or another folder. */
export function placeNamed(word: string, { home, listen }: Place, cwd: string): Place {
  if (isPostgresUrl(word)) return { home, database: word, listen };
  if (/^\w+:\/\//.test(word))
    throw misuse(`--to cannot be ${word}`, "it is postgres://…, sqlite or a folder");
  return { home: word === "sqlite" ? home : resolve(cwd, word) };
}

export async function moveQueue({ from, to, onProgress }: Move): Promise<Moved> {
  refuseSameKind(from, to);
  // Before anything is made at the new place.
  await wayOutOf(from)(async (departure) => refuseAtWork(departure, await departure.tally()));
  if (to.database === undefined) {
    ensureHome(to.home);
    refuseOtherLogs(to.home);
  }
  let step = "nothing" as Step;
  try {
    return await wayInto(to)(async (arrival) => {
      refuseFull(arrival.place, await arrival.tally(), to);
      // The old one is closed for good before the new one is there for good: whatever fails in between, no job is in both.
      const moved = await wayOutOf(from)(async (departure) => {
        if (step !== "nothing") throw interrupted();
        step = "copied";
        const there = await departure.tally();
        await refuseAtWork(departure, there);
        await copyQueue(departure, arrival, there, onProgress);
        await moveOutput({ departure, arrival, from: from.home, to: to.home });
        step = "marked";
        await departure.mark(arrival.place);
        return { place: arrival.place, tally: there };
      });
      step = "closed";
      return moved;
    });
  } catch (error) {
    if (step === "closed" && to.database !== undefined && isInDoubt(error)) throw hasPerhapsArrived();
    if (step === "marked" || step === "closed") await openAgain(from, error);
    if (step !== "nothing" && to.database === undefined) removeOutput(to.home);
    throw error;
  }
}

/** How far a move has come: `marked` once the old queue may say where it went, `closed` when it does for good. */
type Step = "nothing" | "copied" | "marked" | "closed";

const interrupted = () =>
  new Refusal(
    "unavailable",
    "the connection broke while the queue moved",
    "nothing was changed; migrate again",
  );

const hasPerhapsArrived = () =>
  new Refusal(
    "unavailable",
    "the connection broke, and whether the queue has arrived is not known",
    "look there: queuectl list; only if it is not, queuectl migrate --undo opens the old one again",
  );

async function openAgain(from: Place, why: unknown): Promise<void> {
  try {
    await undoMove(from);
  } catch (error) {
    const told = `the queue did not move (${messageOf(why)}), and the old one could not be opened again (${messageOf(error)})`;
    throw new Refusal("unavailable", told, "queuectl migrate --undo does that");
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** Opens a queue again that had moved. Returns where to, or undefined when it had not. */
export const undoMove = ({ home, ...place }: Place): Promise<string | undefined> =>
  place.database === undefined
    ? undoMoveSqlite(databasePath(home))
    : undoMovePostgres(postgresAt({ home, ...place }));

const wayOutOf = (place: Place): Depart =>
  place.database === undefined ? departSqlite(databasePath(place.home)) : departPostgres(postgresAt(place));

const wayInto = (place: Place): Arrive =>
  place.database === undefined ? arriveSqlite(databasePath(place.home)) : arrivePostgres(postgresAt(place));

const postgresAt = ({ database, listen }: Place) => ({ url: database!, pooled: listen !== undefined });

function refuseSameKind(from: Place, to: Place): void {
  if ((from.database === undefined) !== (to.database === undefined)) return;
  throw from.database === undefined
    ? misuse(
        "the queue is in SQLite already",
        "name where it is now by --database, or where it shall go as postgres://…; within SQLite, move its folder",
      )
    : misuse(
        "the queue is in PostgreSQL already",
        "pg_dump --schema=queuectl and psql copy it to another one",
      );
}

/** What runs would settle into a queue that is somewhere else by then. */
async function refuseAtWork(departure: Departure, there: Tally): Promise<void> {
  const living = (await departure.processes()).filter(({ identity }) => livenessOf(identity) !== "dead");
  if (living.length > 0) {
    const ids = living.flatMap(({ worker_ids }) => worker_ids);
    const hosts = [...new Set(living.map(({ identity }) => identity.host))];
    throw new Refusal(
      "wrong_state",
      `${counted(ids.length, "worker")} of this queue still ${ids.length === 1 ? "lives" : "live"}: ${some(ids)} on ${some(hosts)}`,
      "queuectl worker stop --wait lets them finish their jobs, with --force they give them back",
    );
  }
  const running = there["processing jobs"] ?? 0;
  if (running > 0) {
    throw new Refusal(
      "wrong_state",
      `${counted(running, "job")} ran when ${running === 1 ? "its worker" : "their workers"} died`,
      "start a worker (queuectl worker): it takes them over; then stop it and migrate again",
    );
  }
}

function refuseFull(place: string, tally: Tally, { database }: Place): void {
  if (Object.values(tally).every((n) => n === 0)) return;
  throw new Refusal(
    "conflict",
    `there is a queue in ${place} already`,
    database === undefined
      ? "name another folder, or move that queue.db away with its -wal and -shm"
      : "name an empty database, or drop that queue by psql: drop schema queuectl cascade",
  );
}
