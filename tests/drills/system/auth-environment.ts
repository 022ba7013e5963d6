import type { System } from "./system.ts";

/** Operators run `pnpm ops` with what auth is started with. */
export function authEnvironment({ services }: System): NodeJS.ProcessEnv {
  return services.auth[0]?.environment() ?? {};
}
