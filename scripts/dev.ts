// `pnpm dev`: as `pnpm start`, and a service whose files change is started anew.
import { runStack } from "./stack/run-stack.ts";

await runStack({ command: "dev", args: process.argv.slice(2), watch: true });
