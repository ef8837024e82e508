// Looks at a whole queue and says what is wrong with it, or soon may be, and how to mend it. Nothing is changed but for a small
// file that is written and removed again. The questions are in the files beside this one.

import { isSystemError, Refusal, unavailable } from "../domain/errors.ts";
import { databasePath } from "../home.ts";
import type { Place } from "../store/open.ts";
import { checkUpPostgres } from "../store/postgres/checkup.ts";
import { checkUp } from "../store/sqlite/checkup.ts";
import { alerts } from "./alert-questions.ts";
import { clock, integrity, schema, sqlite, storedSettings, whereabouts } from "./database-questions.ts";
import { freeSpace, syncTime, whichFileSystem } from "./disk-questions.ts";
import { broken, type Finding, ok } from "./finding.ts";
import { home, modes } from "./home-questions.ts";
import { leftoverJournals, leftoverLogs } from "./leftover-questions.ts";
import * as postgres from "./postgres-questions.ts";
import { queues } from "./queue-questions.ts";
import { schedules } from "./schedule-questions.ts";
import { runningJobs, workers } from "./worker-questions.ts";

export interface Patient {
  readonly home: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface Diagnosis extends Finding {
  /** The question's name. */
  readonly about: string;
}

/** By name; what is asked about. */
type Questions<T extends unknown[]> = readonly (readonly [
  about: string,
  ask: (...about: T) => Finding | Promise<Finding>,
])[];

const homeQuestions: Questions<[Patient]> = [
  ["home", home],
  ["modes", modes],
  ["free space", freeSpace],
];

const diskQuestions: Questions<[Patient]> = [
  ["file system", whichFileSystem],
  ["sync", syncTime],
];

const sqliteQuestions: Questions<[NonNullable<Awaited<ReturnType<typeof checkUp>>>, Patient]> = [
  ["sqlite", sqlite],
  ["schema", schema],
  ["whereabouts", whereabouts],
  ["integrity", integrity],
  ["settings", storedSettings],
  ["clock", clock],
  ["workers", workers],
  ["running jobs", runningJobs],
  ["queues", queues],
  ["schedules", schedules],
  ["alerts", alerts],
  ["logs", leftoverLogs],
  ["journals", leftoverJournals],
];

const postgresQuestions: Questions<[Awaited<ReturnType<typeof checkUpPostgres>>, Patient]> = [
  ["schema", schema],
  ["rights", postgres.rights],
  ["whereabouts", whereabouts],
  ["settings", storedSettings],
  ["clock", postgres.clock],
  ["wake-ups", postgres.wakeUps],
  ["connections", postgres.connections],
  ["transactions", postgres.transactions],
  ["vacuum", postgres.vacuum],
  ["sizes", postgres.sizes],
  ["leftovers", postgres.leftovers],
  ["workers", postgres.workers],
  ["running jobs", postgres.runningJobs],
  ["queues", queues],
  ["schedules", schedules],
  ["alerts", alerts],
];

/** Every question's answer. What one question stumbles over does not keep the others from being asked. */
export async function diagnose(
  place: Place,
  environment: Patient["environment"],
): Promise<readonly Diagnosis[]> {
  const patient = { home: place.home, environment };
  const findings = await answers(homeQuestions, patient);
  return place.database === undefined
    ? [...findings, ...(await diagnoseSqlite(patient))]
    : [...findings, ...(await diagnosePostgres(place, patient))];
}

async function diagnoseSqlite(patient: Patient): Promise<Diagnosis[]> {
  const findings = await answers(diskQuestions, patient);
  const path = databasePath(patient.home);
  let checkup: Awaited<ReturnType<typeof checkUp>>;
  const found = await answer("database", async () => {
    checkup = await checkUp(path);
    return ok(checkup ? path : "there is none yet; the first enqueue makes it");
  });
  using opened = checkup;
  return [...findings, found, ...(opened ? await answers(sqliteQuestions, opened, patient) : [])];
}

async function diagnosePostgres({ database, listen }: Place, patient: Patient): Promise<Diagnosis[]> {
  let checkup: Awaited<ReturnType<typeof checkUpPostgres>> | undefined;
  const found = await answer("database", async () => {
    checkup = await checkUpPostgres({ url: database!, listenUrl: listen });
    return postgres.judgeServer(checkup);
  });
  if (!checkup) return [found];
  await using opened = checkup;
  const isThere = opened.schema.version > 0;
  return [found, ...(isThere ? await answers(postgresQuestions, opened, patient) : [])];
}

async function answers<T extends unknown[]>(questions: Questions<T>, ...about: T): Promise<Diagnosis[]> {
  const findings: Diagnosis[] = [];
  for (const [name, ask] of questions) findings.push(await answer(name, () => ask(...about)));
  return findings;
}

async function answer(about: string, question: () => Finding | Promise<Finding>): Promise<Diagnosis> {
  try {
    return { about, ...(await question()) };
  } catch (error) {
    const refusal = isSystemError(error) ? unavailable(error) : error;
    if (!(refusal instanceof Refusal)) throw error;
    return {
      about,
      ...broken(
        refusal.message,
        refusal.advice ?? "check that it is there and that you may read and write it",
      ),
    };
  }
}
