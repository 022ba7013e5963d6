import type { TestProject } from "vitest/node";
import { type TestInfrastructure, startTestInfrastructure } from "./infrastructure.ts";

declare module "vitest" {
  interface ProvidedContext {
    gatehouse: TestInfrastructure;
  }
}

/** Several projects name this set-up and each loads it anew; what it started is shared through the process. */
const KEY = Symbol.for("gatehouse.test-infrastructure");
interface Shared {
  users: number;
  running: ReturnType<typeof startTestInfrastructure>;
}
const globals = globalThis as { [KEY]?: Shared };

/** Starts, once a run, what integration and end-to-end tests share: one PostgreSQL with the migrated template database. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const shared = (globals[KEY] ??= { users: 0, running: startTestInfrastructure(process.env) });
  shared.users++;
  const { info, stop } = await shared.running;
  project.provide("gatehouse", info);
  return async () => {
    shared.users--;
    if (shared.users > 0) return;
    delete globals[KEY];
    await stop();
  };
}
