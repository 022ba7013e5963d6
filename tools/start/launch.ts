import { enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";
import type { RunOptions } from "./run-stack.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Loads and runs the command. While it loads, a signal ends the process at once: nothing runs yet. */
export async function launch(options: Omit<RunOptions, "args">): Promise<void> {
  const end = () => process.exit(0);
  for (const signal of SIGNALS) process.on(signal, end);
  enableCompileCache(fileURLToPath(new URL("../../.cache/compile", import.meta.url)));
  const { runStack } = await import("./run-stack.ts");
  for (const signal of SIGNALS) process.off(signal, end);
  await runStack({ ...options, args: process.argv.slice(2) });
}
