// `pnpm ops`: commands for operators of a running system. See --help.
import { enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";

enableCompileCache(fileURLToPath(new URL("../../.cache/compile", import.meta.url)));
const { runOps } = await import("./run-ops.ts");
const { processTerminal } = await import("./terminal.ts");

process.exitCode = await runOps(process.argv.slice(2), processTerminal());
