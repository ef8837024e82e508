// Alerts of which a test says only what it is about.

import type { NewAlert } from "../../src/domain/alert.ts";

export const sampleAlert = (wanted: Partial<NewAlert> = {}): NewAlert => ({
  name: "deaths",
  events: ["dead"],
  queue: null,
  tag: null,
  longer_than: null,
  more_than: null,
  older_than: null,
  gather: 60,
  channel: "webhook",
  target: "https://example.org/hook",
  secret: null,
  cwd: null,
  ...wanted,
});
