// What queuectl refuses a user, and why. How a command ended is data (attempt.ts), never one of these;
// a programming error is a plain Error and shows its stack.

/**
 * - `usage`: the words or values were wrong (exit status 2)
 * - `not_found`, `ambiguous`, `conflict`, `wrong_state`: they were right, and it could not be done
 * - `unavailable`: the store did not answer, and may later (locked, full, away)
 * - `unusable`: the store answers, and this program must not use it (foreign, newer, corrupt)
 */
export type RefusalKind =
  | "usage"
  | "not_found"
  | "ambiguous"
  | "conflict"
  | "wrong_state"
  | "unavailable"
  | "unusable";

/** One plain sentence on what is wrong, and one on what to do about it. */
export class Refusal extends Error {
  readonly kind: RefusalKind;
  readonly advice: string | undefined;

  constructor(kind: RefusalKind, message: string, advice?: string) {
    super(message);
    this.name = "Refusal";
    this.kind = kind;
    this.advice = advice;
  }
}

/** A refusal of wrong use. */
export const misuse = (message: string, advice?: string) => new Refusal("usage", message, advice);
