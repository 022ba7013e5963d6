import type { Bus } from "@gatehouse/messaging";
import type { Logger } from "@gatehouse/observability";
import { createUpstream } from "@gatehouse/upstream";
import { observeView } from "./access-metrics.ts";
import { followRevocations } from "../revocation/follower.ts";
import { createIntrospector } from "../introspection/introspector.ts";
import { createKeySet } from "./key-set.ts";
import { createRevocationView } from "../revocation/revocation-view.ts";
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
  /** All that auth can be set to, unless given: while its algorithm is being changed, tokens of both are about. */
  readonly algorithms?: readonly string[];
  readonly logger: Logger;
}

export interface ConnectedVerifier extends Verifier {
  /** Seconds since auth last vouched for the view of revocations; Infinity before the first time. */
  stalenessSeconds(): number;
  close(): Promise<void>;
}

/** What auth signs with; HS256 is not among them, since whoever verifies could sign. */
const ALGORITHMS: readonly string[] = ["EdDSA", "ES256", "RS256"];

/** Shorter than the wait for a response: whether auth can be reached is known before. */
const CONNECT_TIMEOUT_MS = 500;
/** Longer than for other clients: each request to a silent replica costs a whole timeout. */
const REST_MS = 5_000;

/** A verifier with all that it needs, for a service that wants nothing but to know who calls. Returns at once. */
export function connectVerifier(options: ConnectVerifierOptions): ConnectedVerifier {
  const { authUrls, algorithms = ALGORITHMS, logger, lifetimeSeconds, ...rest } = options;
  const reach = lifetimeSeconds + CLOCK_SKEW_SECONDS;
  const view = createRevocationView({ lifetimeSeconds: reach, now: () => performance.now() });
  const follower = followRevocations({ ...rest, view, lifetimeSeconds: reach, logger });
  const stopObserving = observeView(view, follower.stalenessSeconds);
  const auth = createUpstream({ urls: authUrls, connectTimeoutMs: CONNECT_TIMEOUT_MS, restMs: REST_MS });
  const keySet = createKeySet({ auth, algorithms, logger });
  const introspector = createIntrospector({ auth, token: options.introspectionToken, logger });
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
