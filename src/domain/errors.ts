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

/** For work that may be refused without harm; what is no refusal is thrown on. */
export function ignoreRefusal(error: unknown): void {
  if (!(error instanceof Refusal)) throw error;
}

/** A refusal of wrong use. */
export const misuse = (message: string, advice?: string) => new Refusal("usage", message, advice);

/** Adds to a refusal where in a list its cause stands, such as `line 3`. */
export function inPlace<T>(where: string | undefined, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof Refusal) || where === undefined) throw error;
    throw new Refusal(error.kind, `${where}: ${error.message}`, error.advice);
  }
}

/** What the operating system refuses when a file or a process is asked of it: trouble, and no programming error. */
export interface SystemError extends Error {
  readonly code: string;
  readonly syscall: string;
}

export const isSystemError = (error: unknown): error is SystemError =>
  error instanceof Error && "syscall" in error && "code" in error;

/** `permission denied`, of `EACCES: permission denied, open '/x'`. */
export const reasonOf = ({ message }: SystemError) => /^[A-Z0-9]+: (.*), \w+/s.exec(message)?.[1] ?? message;

/** The same as a sentence: `cannot open /x: permission denied`. */
export function systemTrouble(error: SystemError): string {
  const path = "path" in error ? ` ${error.path}` : "";
  return `cannot ${error.syscall}${path}: ${reasonOf(error)}`;
}

/** No process, descriptor or memory is left: of the user, of this process, or of the machine. */
export const isWantOfRoom = (error: unknown) =>
  isSystemError(error) && ["EAGAIN", "EMFILE", "ENFILE", "ENOMEM"].includes(error.code);

/** A refusal for trouble of the system. */
export const unavailable = (error: SystemError) =>
  new Refusal(
    "unavailable",
    systemTrouble(error),
    isWantOfRoom(error)
      ? "try again when other programs need less, or raise the limit: ulimit -a shows it"
      : "check owner, mode and free space, then try again",
  );

/** A value as a message quotes it: on one line, and short. */
export const shown = (value: string) => {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text;
};
