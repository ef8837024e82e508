// What a command may take of its machine.

import { misuse } from "./errors.ts";
import { count, type SettingRule, size } from "./setting-kinds.ts";

export interface LimitRules {
  /** How far it stands back for others, 0 to 19. */
  readonly nice?: number | undefined;
  /** Bytes. */
  readonly memory?: number | undefined;
}

const rules: Readonly<Record<keyof LimitRules, SettingRule<number>>> = {
  nice: count("nice", "How far a command stands back for others", 0, { min: 0, max: 19 }),
  memory: size("memory", "The most memory of a command", 0, { min: 1024 ** 2, max: 1024 ** 4 }),
};

export function checkLimits(limits: LimitRules): void {
  for (const name of ["nice", "memory"] as const) {
    const value = limits[name];
    if (value !== undefined) rules[name].check(value);
  }
}

/** A text from outside; refused where it is no such value. */
export function readLimit(name: keyof LimitRules, text: string): number {
  const value = rules[name].parse(text.trim());
  if (value === undefined)
    throw misuse(`${name} cannot be ${JSON.stringify(text)}: it is ${rules[name].accepts}`);
  return value;
}
