// A worker process without commands: claims and settles until nothing is left, and prints each claim as `seq attempt`.

import { openStore, placeOf } from "../../src/store/open.ts";
import { claimingProcess } from "../support/claiming-process.ts";

await using store = await openStore(placeOf(process.env));
const { turn } = await claimingProcess(store);
const claims: string[] = [];
for (let some = await turn(); some.length > 0; some = await turn()) claims.push(...some);
process.stdout.write(claims.join(""));
