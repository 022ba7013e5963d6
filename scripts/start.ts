// `pnpm start`: the whole system on one machine. See --help.
import { runStack } from "./stack/run-stack.ts";

await runStack({ command: "start", args: process.argv.slice(2), watch: false });
