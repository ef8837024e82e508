import { sqlite } from "../support/temp-sqlite.ts";
import { storeContract } from "./contract.ts";

storeContract(sqlite);
