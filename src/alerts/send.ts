// Delivers one message of an alert, once, and says what came back. What an alert's way needs is loaded when there is something to
// send by it.

import type { NewAlert } from "../domain/alert.ts";
import type { Message } from "../domain/alert-message.ts";
import type { Settings } from "../domain/settings.ts";

/** A message to be sent: its name stays the same at every try. */
export interface Letter {
  readonly id: string;
  /** As JSON; what is signed and sent is this very text. */
  readonly message: string;
}

export interface Surroundings {
  readonly home: string;
  /** As the user gave it. */
  readonly environment: Readonly<Record<string, string>>;
  readonly settings: Settings;
  /** Breaks the try off. */
  readonly signal?: AbortSignal;
  /** Where a command's errors go; nowhere by default. */
  readonly stderr?: "inherit";
}

/** What came back, in a few words without secrets. */
export type Reply =
  | { readonly kind: "accepted"; readonly answer: string }
  | {
      readonly kind: "refused";
      readonly answer: string;
      /** The receiver wants no more of it. */
      readonly isFinal?: boolean;
      /** When the receiver wants to be asked again. */
      readonly retryAfterMs?: number;
    };

/** How long a receiver may take. */
export const patienceMs = 10_000;

export async function send(alert: NewAlert, letter: Letter, surroundings: Surroundings): Promise<Reply> {
  switch (alert.channel) {
    case "webhook":
      return (await import("./post.ts")).sendWebhook(alert, letter, surroundings);
    case "slack":
      return (await import("./post.ts")).sendSlack(alert, letter, surroundings);
    case "email":
      return (await import("./email.ts")).sendEmail(alert, letter, surroundings);
    case "command":
      return (await import("./command.ts")).runCommand(alert, letter, surroundings);
    default:
      return alert.channel satisfies never;
  }
}

export const readMessage = ({ message }: Letter): Message => JSON.parse(message);

/** What a user or password in an address stands for; one that is no text with escapes stands for itself. */
export function meant(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const refused = (answer: string): Reply => ({ kind: "refused", answer });

/** Aborted when the receiver has taken too long, or the try is broken off. */
export const limitOf = ({ signal }: Surroundings): AbortSignal =>
  AbortSignal.any([AbortSignal.timeout(patienceMs), ...(signal ? [signal] : [])]);

export const tooLate = refused(`no answer within ${patienceMs / 1000} s`);
