// Tests start real processes on shared machines: what never comes fails late rather than what comes slowly fails early.

import { setDefaultTimeout } from "bun:test";

setDefaultTimeout(60_000);
