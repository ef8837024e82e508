// What a caller of the dashboard or the HTTP API may do. Whoever may enqueue may run any command, so that is a right of its own.

/** - `read`: look at everything · `operate`: retry, cancel, delete, stop, set · `enqueue`: add jobs */
export const scopes = ["read", "operate", "enqueue"] as const;

export type Scope = (typeof scopes)[number];

export const isScope = (text: string): text is Scope => (scopes as readonly string[]).includes(text);
