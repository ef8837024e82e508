// Runs what the words say; turns what it refuses into a line and an exit status.

import { isSystemError, Refusal, unavailable } from "../domain/errors.ts";
import { enqueuePlainly, isPlain } from "./plain-enqueue.ts";

/** Fulfilled with the exit status; an error that is a bug passes through. */
export async function runProgram(argv: readonly string[]): Promise<number> {
  try {
    if (isPerhapsLossy(argv)) (await import("./lossy-texts.ts")).refuseLossyTexts();
    if (isPlain(argv)) {
      await enqueuePlainly(argv[1]);
      return 0;
    }
    const { dispatch } = await import("./command-line.ts");
    return await dispatch(argv);
  } catch (error) {
    if (error instanceof Refusal) return tell(error);
    if (isSystemError(error)) return tell(unavailable(error));
    throw error;
  }
}

const isPerhapsLossy = (argv: readonly string[]) =>
  [...argv, process.cwd(), process.env.QUEUECTL_HOME ?? ""].some((text) => text.includes("\uFFFD"));

async function tell(refusal: Refusal): Promise<number> {
  const { note, refusalLine } = await import("./streams.ts");
  const { statusOf } = await import("./exit-status.ts");
  note(refusalLine(refusal));
  return statusOf[refusal.kind];
}
