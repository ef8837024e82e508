// Brings the database in QUEUECTL_HOME one schema further than there is, by the step in its first argument, when told to start.

import { databasePath, homeOf } from "../../src/home.ts";
import { connect } from "../../src/store/sqlite/connection.ts";
import { migrate, schemaSteps } from "../../src/store/sqlite/migrate.ts";
import { openDatabase } from "../../src/store/sqlite/open.ts";
import { startSignal } from "../support/start-together.ts";

const path = databasePath(homeOf(process.env));
const connection = connect(path, openDatabase(path), Date.now);
await startSignal();
await migrate(connection, [...schemaSteps, process.argv[2]!]);
connection.close();
