// What every command is given: who calls, from where, and the way to the store.

import { areDefaults, defaultSettings, unknownVariable } from "../domain/default-settings.ts";
import type { Settings } from "../domain/settings.ts";
import { ensureHome } from "../home.ts";
import { type Environment, ownEnvironment } from "../self.ts";
import { openStore, type Place, placeOf } from "../store/open.ts";
import type { Store } from "../store/store.ts";
import { note } from "./streams.ts";

export interface Context {
  /** As the user gave it, with the database that the words named. */
  readonly environment: Environment;
  readonly home: string;
  /** Where the queue lies. */
  readonly place: Place;
  readonly cwd: string;
  /** Opens the queue, making the home folder where it is missing; for a few questions unless it says otherwise. */
  openStore(asked?: "briefly" | "often"): Promise<Store>;
  /** Defaults, what was set, and what the environment overrides. */
  settings(store: Store): Promise<Settings>;
}

export function makeContext(database?: string): Context {
  // What this process starts in turn, workers and their commands, works on the same queue.
  const named = database !== undefined && { QUEUECTL_DATABASE_URL: database };
  return contextIn({ ...ownEnvironment(), ...named }, process.cwd());
}

/** Tells of a variable that would do nothing without a word; one that resembles none of ours is somebody else's. */
export async function tellIfMisspelled({ environment }: Context): Promise<void> {
  const unknown = unknownVariable(environment);
  if (unknown === undefined) return;
  const { variableMeantBy } = await import("../domain/settings.ts");
  const meant = variableMeantBy(unknown);
  if (meant) note(`queuectl: ${unknown} in the environment is no setting (did you mean ${meant}?)`);
}

export function contextIn(environment: Environment, cwd: string): Context {
  const place = placeOf(environment);
  return {
    environment,
    home: place.home,
    place,
    cwd,
    async openStore(asked = "briefly") {
      ensureHome(place.home);
      return openStore(place, { brief: asked === "briefly" });
    },
    async settings(store) {
      const stored = { ...store.defaults, ...(await store.settings.all()) };
      if (areDefaults(stored, environment)) return defaultSettings;
      const { effectiveSettings } = await import("../domain/settings.ts");
      return effectiveSettings(stored, environment);
    },
  };
}
