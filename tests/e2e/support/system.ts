import { type RunningServices, type ServicesOptions, startServices } from "@gatehouse/testing";
import { FIRST_ADMIN } from "./api.ts";

/** A system that a test knows by its gateway only. */
export interface System {
  readonly url: string;
  /** Of a new system. */
  readonly gateways?: RunningServices["gateways"];
  stop(): Promise<void>;
}

/**
 * A new system with the first admin, or, for tests that need nothing but a gateway, the one at E2E_URL.
 * @param options of a new one
 */
export async function openSystem(options: ServicesOptions = {}): Promise<System> {
  const url = process.env["E2E_URL"];
  if (url !== undefined) return { url, stop: () => Promise.resolve() };
  return startServices({ ...options, auth: { ...options.auth, ...FIRST_ADMIN } });
}
