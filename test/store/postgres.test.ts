import { postgres } from "../support/temp-postgres.ts";
import { storeContract } from "./contract.ts";

storeContract(postgres);
