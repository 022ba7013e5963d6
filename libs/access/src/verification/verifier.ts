import type { IntrospectionResult } from "@gatehouse/contracts";
import { AppError } from "@gatehouse/errors";
import type { Logger } from "@gatehouse/observability";
import { createDeciderMetric } from "./access-metrics.ts";
import type { AccessClaims } from "./claims.ts";
import type { Follower } from "../revocation/follower.ts";
import type { AuthWord, Introspector } from "../introspection/introspector.ts";
import type { KeySet } from "./key-set.ts";
import type { RevocationView } from "../revocation/revocation-view.ts";
import { createSignatureCache } from "./signature-cache.ts";
import { type Decider, deciderFor } from "./verdict.ts";
import { verifyAccessToken } from "./verify-access-token.ts";

export interface VerifierParts {
  readonly keySet: Pick<KeySet, "keyFor" | "isLoaded">;
  readonly view: RevocationView;
  readonly follower: Pick<Follower, "isCurrent" | "hasCaughtUp">;
  readonly introspector: Introspector;
  readonly algorithms: readonly string[];
  readonly issuer: string;
  readonly audience: string;
  /** An access token's lifetime. The view reaches back that far and a clock skew more. */
  readonly lifetimeSeconds: number;
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export interface Verifier {
  /** @throws AppError TokenError, TokenRevokedError, ServiceUnavailable */
  verify(token: string): Promise<AccessClaims>;
  /**
   * True once the keys were there and either the view was current or auth answered, and from then on: what fails
   * later fails requests, not readiness, or one blip would take every replica away.
   */
  ready(): Promise<boolean>;
}

/** How far clocks may differ, in seconds. */
export const CLOCK_SKEW_SECONDS = 60;
const CACHED_SIGNATURES = 10_000;

/** Verifies access tokens without asking anybody, as long as the view of what has been revoked is current. */
export function createVerifier(parts: VerifierParts): Verifier {
  const { keySet, view, follower, introspector, lifetimeSeconds } = parts;
  const now = parts.now ?? Date.now;
  const verified = createSignatureCache(CACHED_SIGNATURES, now);
  const report = reportChanges(parts.logger);
  let wasReady = false;

  async function checkSignature(token: string): Promise<AccessClaims> {
    const known = verified.get(token);
    if (known) return known;
    const { algorithms, issuer, audience } = parts;
    const claims = await verifyAccessToken(token, { keyFor: keySet.keyFor, algorithms, issuer, audience, now });
    verified.set(token, claims);
    return claims;
  }

  /** Further back the view does not reach, so it could not vouch. */
  function checkReach({ iat }: AccessClaims): void {
    if (iat < now() / 1_000 - lifetimeSeconds - CLOCK_SKEW_SECONDS) throw new AppError("TokenError");
  }

  async function checkStanding(claims: AccessClaims): Promise<void> {
    if (view.isRevoked(claims)) throw new AppError("TokenRevokedError");
    if (follower.isCurrent()) return report("view");
    const word = await introspector.ask(claims);
    const auth = typeof word === "object" ? "answers" : word;
    const situation = { viewIsCurrent: follower.isCurrent(), auth, viewHasCaughtUp: follower.hasCaughtUp() } as const;
    const decider = deciderFor(situation);
    report(decider);
    if (decider === "nobody")
      throw new AppError("ServiceUnavailable", { detail: "It cannot be known now whether the token still stands" });
    remember(view, claims, word);
    if (view.isRevoked(claims)) throw new AppError("TokenRevokedError");
  }

  return {
    async verify(token) {
      const claims = await checkSignature(token);
      checkReach(claims);
      await checkStanding(claims);
      return claims;
    },
    async ready() {
      wasReady ||= keySet.isLoaded() && (follower.isCurrent() || (await introspector.answers()));
      return wasReady;
    },
  };
}

/** Enters what auth refused, so that no token is accepted again that was refused once. */
function remember(view: RevocationView, { sub, sid, jti, tokenVersion }: AccessClaims, word: AuthWord): void {
  if (typeof word !== "object" || word.active) return;
  const { session_ended: sessionEnded, least_token_version: least } = word satisfies IntrospectionResult;
  if (sessionEnded) view.endSession(sid);
  else if (least === null) view.raiseVersion(sub, tokenVersion + 1);
  else if (least > tokenVersion) view.raiseVersion(sub, least);
  else view.refuseToken(jti);
}

const REPORTS = {
  view: ["info", "the view of revocations decides"],
  auth: ["warn", "the view of revocations is not current: auth decides"],
  nobody: ["error", "neither the view nor auth can tell whether tokens still stand: bring NATS or auth back"],
} as const satisfies Record<Decider, readonly ["info" | "warn" | "error", string]>;

/** A line and a count whenever somebody else decides than before. */
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
