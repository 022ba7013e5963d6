import type { IntrospectionResult } from "@gatehouse/contracts";
import { AppError } from "@gatehouse/errors";
import type { Logger } from "@gatehouse/observability";
import { createDeciderMetric } from "./access-metrics.ts";
import type { AccessClaims } from "./claims.ts";
import type { Follower } from "../revocation/follower.ts";
import type { IntrospectionOutcome, Introspector } from "../introspection/introspector.ts";
import type { KeySet } from "./key-set.ts";
import type { RevocationView } from "../revocation/revocation-view.ts";
import { createSignatureCache } from "./signature-cache.ts";
import { type Decider, deciderFor } from "./decider.ts";
import { verifyAccessToken } from "./verify-access-token.ts";

export interface VerifierDeps {
  readonly keySet: Pick<KeySet, "keyFor" | "isLoaded">;
  readonly view: RevocationView;
  readonly follower: Pick<Follower, "isCurrent" | "hasCaughtUp">;
  readonly introspector: Introspector;
  readonly algorithms: readonly string[];
  readonly issuer: string;
  readonly audience: string;
  /** An access token's lifetime. The view covers that time plus the clock skew. */
  readonly lifetimeSeconds: number;
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export interface Verifier {
  /** @throws AppError TokenError, TokenRevokedError, ServiceUnavailable */
  verify(token: string): Promise<AccessClaims>;
  /**
   * Returns true once the keys are loaded and either the view is current or auth answers, and from then on. Later
   * failures fail requests and not readiness; otherwise one outage would remove every replica from service.
   */
  ready(): Promise<boolean>;
}

/** How much clocks may differ. */
export const CLOCK_SKEW_SECONDS = 60;
const CACHED_SIGNATURES = 10_000;

/** Creates a verifier of access tokens that makes no request as long as its revocation view is current. */
export function createVerifier(deps: VerifierDeps): Verifier {
  const { keySet, view, follower, introspector, lifetimeSeconds } = deps;
  const now = deps.now ?? Date.now;
  const verified = createSignatureCache(CACHED_SIGNATURES, now);
  const report = reportChanges(deps.logger);
  let wasReady = false;

  async function checkSignature(token: string): Promise<AccessClaims> {
    const known = verified.get(token);
    if (known) return known;
    const { algorithms, issuer, audience } = deps;
    const claims = await verifyAccessToken(token, { keyFor: keySet.keyFor, algorithms, issuer, audience, now });
    verified.set(token, claims);
    return claims;
  }

  /** Tokens older than the revocation window are rejected. */
  function checkAge({ iat }: AccessClaims): void {
    if (iat < now() / 1_000 - lifetimeSeconds - CLOCK_SKEW_SECONDS) throw new AppError("TokenError");
  }

  async function checkRevocation(claims: AccessClaims): Promise<void> {
    if (view.isRevoked(claims)) throw new AppError("TokenRevokedError");
    if (follower.isCurrent()) return report("view");
    const outcome = await introspector.introspect(claims);
    const auth = typeof outcome === "object" ? "answers" : outcome;
    const situation = { viewIsCurrent: follower.isCurrent(), auth, viewHasCaughtUp: follower.hasCaughtUp() } as const;
    const decider = deciderFor(situation);
    report(decider);
    if (decider === "nobody")
      throw new AppError("ServiceUnavailable", { detail: "Revocation status is unavailable; try again shortly." });
    applyOutcome(view, claims, outcome);
    if (view.isRevoked(claims)) throw new AppError("TokenRevokedError");
  }

  return {
    async verify(token) {
      const claims = await checkSignature(token);
      checkAge(claims);
      await checkRevocation(claims);
      return claims;
    },
    async ready() {
      wasReady ||= keySet.isLoaded() && (follower.isCurrent() || (await introspector.isAvailable()));
      return wasReady;
    },
  };
}

/** Records what auth rejected in the view, so that a rejected token is never accepted later. */
function applyOutcome(
  view: RevocationView,
  { sub, sid, jti, tokenVersion }: AccessClaims,
  outcome: IntrospectionOutcome,
): void {
  if (typeof outcome !== "object" || outcome.active) return;
  const { session_ended: sessionEnded, least_token_version: least } = outcome satisfies IntrospectionResult;
  if (sessionEnded) view.endSession(sid);
  else if (least === null) view.raiseVersion(sub, tokenVersion + 1);
  else if (least > tokenVersion) view.raiseVersion(sub, least);
  else view.revokeToken(jti);
}

const REPORTS = {
  view: ["info", "revocation view decides about tokens"],
  auth: ["warn", "revocation view is stale, auth decides about tokens"],
  nobody: ["error", "revocation status is unavailable, rejecting tokens with 503 until NATS or auth is up"],
} as const satisfies Record<Decider, readonly ["info" | "warn" | "error", string]>;

/** Logs and counts each change of who decides. */
function reportChanges(logger: Logger): (decider: Decider) => void {
  const count = createDeciderMetric();
  let last: Decider | undefined;
  return (decider) => {
    if (decider === last) return;
    last = decider;
    count(decider);
    const [level, message] = REPORTS[decider];
    logger[level](message);
  };
}
