import type { StackAddresses } from "@gatehouse/local-stack";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readOptionalFile, readStackEnvironment } from "../start/settings.ts";
import type { Terminal } from "./terminal/terminal.ts";

/** Where a command may find what it works on. */
export interface Surroundings {
  /** The variables of the process over those of .env. */
  readonly environment: NodeJS.ProcessEnv;
  /** STACK_DIR. */
  readonly dir: string;
  /** Of the stack that runs in `dir`; undefined when none does. */
  readonly addresses: StackAddresses | undefined;
}

export async function lookAround({ variables }: Terminal): Promise<Surroundings> {
  const envFile = readOptionalFile(fileURLToPath(new URL("../../.env", import.meta.url)));
  const { dir, environment } = readStackEnvironment(variables, envFile, process.cwd());
  return { environment, dir, addresses: await findStack(dir) };
}

// An image has these commands and not the modules of the local stack: they are loaded where there is one.
async function findStack(dir: string): Promise<StackAddresses | undefined> {
  if (!existsSync(dir)) return undefined;
  const { findAddresses } = await import("../start/addresses.ts");
  return findAddresses(dir);
}
