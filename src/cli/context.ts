// What every command is given: who calls, from where, and the way to the store.

import { effectiveSettings, type Settings } from "../domain/settings.ts";
import { ensureHome, homeOf } from "../home.ts";
import { type Environment, ownEnvironment } from "../self.ts";
import { openStore } from "../store/open.ts";
import type { Store } from "../store/store.ts";

export interface Context {
  /** As the user gave it. */
  readonly environment: Environment;
  readonly home: string;
  readonly cwd: string;
  /** Opens the queue, making the home folder where it is missing. */
  openStore(): Promise<Store>;
  /** Defaults, what was set, and what the environment overrides. */
  settings(store: Store): Promise<Settings>;
}

export function makeContext(): Context {
  const environment = ownEnvironment();
  const home = homeOf(environment);
  return {
    environment,
    home,
    cwd: process.cwd(),
    async openStore() {
      ensureHome(home);
      return openStore(home);
    },
    settings: async (store) => effectiveSettings(await store.settings.all(), environment),
  };
}
