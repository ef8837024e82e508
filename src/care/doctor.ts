// Looks at a whole queue and says what is wrong with it, or soon may be, and how to mend it. Nothing is changed but for a small
// file that is written and removed again. The questions are in the files beside this one.

import { Refusal } from "../domain/errors.ts";
import { databasePath } from "../home.ts";
import { type Checkup, checkUp } from "../store/sqlite/checkup.ts";
import { clock, integrity, schema, sqlite, storedSettings } from "./database-questions.ts";
import { freeSpace, syncTime, whichFileSystem } from "./disk-questions.ts";
import { broken, type Finding, ok } from "./finding.ts";
import { home, modes } from "./home-questions.ts";
import { leftoverJournals, leftoverLogs } from "./leftover-questions.ts";
import { runningJobs, workers } from "./worker-questions.ts";

export interface Patient {
  readonly home: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface Diagnosis extends Finding {
  /** The question's name. */
  readonly about: string;
}

type Question = (patient: Patient) => Finding | Promise<Finding>;
type DatabaseQuestion = (checkup: Checkup, patient: Patient) => Finding | Promise<Finding>;

const questions: readonly (readonly [about: string, ask: Question])[] = [
  ["home", home],
  ["modes", modes],
  ["file system", whichFileSystem],
  ["free space", freeSpace],
  ["sync", syncTime],
];

const databaseQuestions: readonly (readonly [about: string, ask: DatabaseQuestion])[] = [
  ["sqlite", sqlite],
  ["schema", schema],
  ["integrity", integrity],
  ["settings", storedSettings],
  ["clock", clock],
  ["workers", workers],
  ["running jobs", runningJobs],
  ["logs", leftoverLogs],
  ["journals", leftoverJournals],
];

/** Every question's answer. What one question stumbles over does not keep the others from being asked. */
export async function diagnose(patient: Patient): Promise<Diagnosis[]> {
  const findings: Diagnosis[] = [];
  const ask = async (about: string, question: () => Finding | Promise<Finding>) => {
    findings.push({ about, ...(await answer(question)) });
  };
  for (const [about, question] of questions) await ask(about, () => question(patient));
  let checkup: Checkup | undefined;
  await ask("database", async () => {
    checkup = await checkUp(databasePath(patient.home));
    return ok(checkup ? databasePath(patient.home) : "there is none yet; the first enqueue makes it");
  });
  if (!checkup) return findings;
  using opened = checkup;
  for (const [about, question] of databaseQuestions) await ask(about, () => question(opened, patient));
  return findings;
}

async function answer(question: () => Finding | Promise<Finding>): Promise<Finding> {
  try {
    return await question();
  } catch (error) {
    const isTrouble = error instanceof Refusal || (error as NodeJS.ErrnoException).syscall !== undefined;
    if (!isTrouble) throw error;
    const { message, advice } = error as Refusal;
    return broken(message, advice ?? "check that it is there and that you may read and write it");
  }
}
