// Whether alerts reach whom they are to tell.

import { counted } from "../domain/counted.ts";
import type { AlertCare } from "../store/alerts.ts";
import { type Finding, ok, some, warning } from "./finding.ts";

/** Workers deliver long before. */
const overdueMs = 60_000;
/** What was given up longer ago is nobody's trouble any more. */
const recentMs = 7 * 86_400_000;

interface Alerted {
  /** Messages that were due so long ago, and those that were given up since. */
  alerts(overdueMs: number, recentMs: number): Promise<readonly AlertCare[]>;
  settings(): Promise<Readonly<Record<string, string>>>;
}

export async function alerts(
  checkup: Alerted,
  { environment }: { readonly environment: Readonly<Record<string, string | undefined>> },
): Promise<Finding> {
  const found = await checkup.alerts(overdueMs, recentMs);
  const namesOf = (isMeant: (alert: AlertCare) => boolean) => found.filter(isMeant).map(({ name }) => name);
  const givenUp = namesOf(({ given_up }) => given_up > 0);
  if (givenUp.length > 0) {
    return warning(
      `${some(givenUp)} gave up ${counted(sum(found.map(({ given_up }) => given_up)), "message")}`,
      `queuectl alert test ${givenUp[0]} says what comes back`,
    );
  }
  const overdue = namesOf((alert) => alert.overdue > 0);
  if (overdue.length > 0) {
    return warning(
      `${counted(sum(found.map((alert) => alert.overdue)), "message")} of ${some(overdue)} should have been sent, and nobody tries`,
      "start a worker (queuectl worker): any of them delivers",
    );
  }
  const stored = await checkup.settings();
  const isSet = (key: "smtp_url" | "mail_from") =>
    Boolean(environment[`QUEUECTL_${key.toUpperCase()}`] ?? stored[key]);
  const mails = namesOf(({ channel }) => channel === "email");
  if (mails.length > 0 && !(isSet("smtp_url") && isSet("mail_from"))) {
    return warning(
      `${some(mails)} cannot send e-mail: smtp_url or mail_from is not set`,
      "queuectl config set smtp_url and mail_from",
    );
  }
  return ok(found.length === 0 ? "there is none" : counted(found.length, "alert"));
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);
