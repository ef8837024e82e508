import { tempSqlite } from "../support/temp-store.ts";
import { storeContract } from "./contract.ts";

storeContract("the SQLite store", tempSqlite);
