import type { TestProject } from "vitest/node";
import { type TestInfrastructure, startTestInfrastructure } from "./infrastructure.ts";

declare module "vitest" {
  interface ProvidedContext {
    gatehouse: TestInfrastructure;
  }
}

/** Each Vitest project loads this module again; they share what it starts. */
const KEY = Symbol.for("gatehouse.test-infrastructure");
interface Shared {
  users: number;
  running: ReturnType<typeof startTestInfrastructure>;
}
const globals = globalThis as { [KEY]?: Shared };

/** Starts PostgreSQL with the migrated template database once for all projects. */
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
