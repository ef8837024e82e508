// The settings that nobody set.

import { effectiveSettings } from "../../src/domain/settings.ts";

export const defaultSettings = effectiveSettings({}, {});
