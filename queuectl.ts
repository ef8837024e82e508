#!/usr/bin/env -S bun --no-env-file
// Words in, exit status out.

import { runProgram } from "./src/cli/dispatch.ts";

process.exitCode = await runProgram(process.argv.slice(2));
