import { REPOSITORY_ROOT, type StackAddresses } from "@gatehouse/testing/stack";
import { join } from "node:path";
import { findAddresses } from "../stack/addresses.ts";
import { readOptionalFile, readStackEnvironment } from "../stack/settings.ts";
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

export function lookAround({ variables }: Terminal): Surroundings {
  const envFile = readOptionalFile(join(REPOSITORY_ROOT, ".env"));
  const { dir, environment } = readStackEnvironment(variables, envFile, process.cwd());
  return { environment, dir, addresses: findAddresses(dir) };
}
