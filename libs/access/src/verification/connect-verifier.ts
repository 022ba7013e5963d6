import type { Bus } from "@gatehouse/messaging";
import type { Logger } from "@gatehouse/observability";
import { createUpstream } from "@gatehouse/upstream";
import { observeView } from "./access-metrics.ts";
import { followRevocations } from "../revocation/follower.ts";
import { createIntrospector } from "../introspection/introspector.ts";
import { createKeySet } from "./key-set.ts";
import { createRevocationView } from "../revocation/revocation-view.ts";
import { CLOCK_SKEW_SECONDS, createVerifier, type Verifier } from "./verifier.ts";

export interface ConnectVerifierDeps {
  readonly bus: Bus;
  /** The base URLs of auth's replicas. */
  readonly authUrls: readonly string[];
  readonly introspectionToken: string;
  readonly issuer: string;
  readonly audience: string;
  /** An access token's lifetime. */
  readonly lifetimeSeconds: number;
  readonly maxStalenessSeconds: number;
  /** Default: all that auth can use, because tokens of two algorithms are valid while auth changes its own. */
  readonly algorithms?: readonly string[];
  readonly logger: Logger;
}

export interface ConnectedVerifier extends Verifier {
  /** Seconds since the last live watermark; Infinity before the first. */
  stalenessSeconds(): number;
  close(): Promise<void>;
}

/** The algorithms that auth can use. HS256 is not one of them: a service that verifies could also sign. */
const ALGORITHMS: readonly string[] = ["EdDSA", "ES256", "RS256"];

/** Shorter than the wait for a response: whether auth can be reached is known before. */
const CONNECT_TIMEOUT_MS = 500;
/** Longer than for other clients: each request to a silent replica costs a whole timeout. */
const REST_MS = 5_000;

/** Creates a verifier with its keys, revocation view and introspection, and returns without waiting for them. */
export function connectVerifier(deps: ConnectVerifierDeps): ConnectedVerifier {
  const { authUrls, algorithms = ALGORITHMS, logger, lifetimeSeconds, ...rest } = deps;
  const reach = lifetimeSeconds + CLOCK_SKEW_SECONDS;
  const view = createRevocationView({ lifetimeSeconds: reach, now: () => performance.now() });
  const follower = followRevocations({ ...rest, view, lifetimeSeconds: reach, logger });
  const stopObserving = observeView(view, follower.stalenessSeconds);
  const auth = createUpstream({ urls: authUrls, connectTimeoutMs: CONNECT_TIMEOUT_MS, restMs: REST_MS });
  const keySet = createKeySet({ auth, algorithms, logger });
  const introspector = createIntrospector({ auth, token: deps.introspectionToken, logger });
  return {
    ...createVerifier({ ...rest, keySet, view, follower, introspector, algorithms, lifetimeSeconds, logger }),
    stalenessSeconds: follower.stalenessSeconds,
    async close() {
      stopObserving();
      keySet.close();
      await auth.close();
      await follower.close();
    },
  };
}
