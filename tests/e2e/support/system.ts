import { type RunningServices, type ServicesOptions, startServices } from "@gatehouse/test-kit";
import { FIRST_ADMIN } from "@gatehouse/test-kit/api";

/** A system that a test knows by its gateway only. */
export interface System {
  readonly url: string;
  /** What the user service shows to auth's `/internal`. */
  readonly internalToken: string;
  /** Behind the gateway of a new system. */
  readonly services?: Pick<RunningServices, "auth" | "user" | "gateways">;
  stop(): Promise<void>;
}

const { E2E_URL, E2E_INTERNAL_API_TOKEN = "" } = process.env;

/** Whether tests ask a system that runs already, of which they know no more than where its gateway is. */
export const isElsewhere = E2E_URL !== undefined;

/**
 * A new system with the first admin, or, for tests that need nothing but a gateway, the one at E2E_URL.
 * @param options of a new one
 */
export async function openSystem(options: ServicesOptions = {}): Promise<System> {
  if (E2E_URL !== undefined)
    return { url: E2E_URL, internalToken: E2E_INTERNAL_API_TOKEN, stop: () => Promise.resolve() };
  const services = await startServices({ ...options, auth: { ...options.auth, ...FIRST_ADMIN } });
  const { url, secrets } = services;
  return { url, internalToken: secrets.INTERNAL_API_TOKEN, services, stop: () => services.stop() };
}
