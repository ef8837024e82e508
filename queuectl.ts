#!/usr/bin/env -S bun --no-env-file
// Words in, exit status out.

import { runProgram } from "./src/cli/program.ts";

process.exitCode = await runProgram(process.argv.slice(2));
