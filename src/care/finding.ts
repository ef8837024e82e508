// What a doctor's question comes to.

export interface Finding {
  /** `warning`: it works, and may not for long. `broken`: something does not work. */
  readonly level: "ok" | "warning" | "broken";
  readonly text: string;
  /** What to do about it; missing when all is well. */
  readonly mend?: string;
}

export const ok = (text: string): Finding => ({ level: "ok", text });
export const warning = (text: string, mend: string): Finding => ({ level: "warning", text, mend });
export const broken = (text: string, mend: string): Finding => ({ level: "broken", text, mend });

/** The first few of many names. */
export const some = (names: readonly string[]) =>
  names.length > 3 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");
