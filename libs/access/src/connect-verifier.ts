import type { Bus } from "@gatehouse/messaging";
import type { Logger } from "@gatehouse/observability";
import { followRevocations } from "./follower.ts";
import { createIntrospector } from "./introspector.ts";
import { createKeySet } from "./key-set.ts";
import { createRevocationView } from "./revocation-view.ts";
import { CLOCK_SKEW_SECONDS, createVerifier, type Verifier } from "./verifier.ts";

export interface ConnectVerifierOptions {
  readonly bus: Bus;
  /** auth's, one or several. */
  readonly authUrls: readonly string[];
  readonly introspectionToken: string;
  readonly issuer: string;
  readonly audience: string;
  /** An access token's lifetime. */
  readonly lifetimeSeconds: number;
  readonly maxStalenessSeconds: number;
  readonly logger: Logger;
}

export interface ConnectedVerifier extends Verifier {
  close(): Promise<void>;
}

/** A verifier with all that it needs, for a service that wants nothing but to know who calls. */
export function connectVerifier(options: ConnectVerifierOptions): ConnectedVerifier {
  const { bus, authUrls: urls, logger, issuer, audience, lifetimeSeconds, maxStalenessSeconds } = options;
  const reach = lifetimeSeconds + CLOCK_SKEW_SECONDS;
  const view = createRevocationView({ lifetimeSeconds: reach, now: () => performance.now() });
  const follower = followRevocations({ bus, view, lifetimeSeconds: reach, maxStalenessSeconds, logger });
  const keySet = createKeySet({ urls, logger });
  const introspector = createIntrospector({ urls, token: options.introspectionToken });
  return {
    ...createVerifier({ keySet, view, follower, introspector, issuer, audience, lifetimeSeconds }),
    async close() {
      keySet.close();
      await follower.close();
    },
  };
}
