// Numbers as pages show them.

import { counted } from "../../src/domain/counted.ts";

/** `12,345`. */
export const grouped = (n: number) => n.toLocaleString("en");

/** `12,345 jobs`, `1 job`. */
export const amount = (n: number, thing: string) => counted(n, thing, grouped(n));
