import type { IntrospectionResult } from "@gatehouse/contracts";
import { AppError } from "@gatehouse/errors";
import type { AccessClaims } from "./claims.ts";
import type { Follower } from "./follower.ts";
import type { Introspector } from "./introspector.ts";
import { type KeySet, VERIFICATION_ALGORITHMS } from "./key-set.ts";
import type { RevocationView } from "./revocation-view.ts";
import { createSignatureCache } from "./signature-cache.ts";
import { deciderFor } from "./verdict.ts";
import { verifyAccessToken } from "./verify-access-token.ts";

export interface VerifierParts {
  readonly keySet: KeySet;
  readonly view: RevocationView;
  readonly follower: Follower;
  readonly introspector: Introspector;
  readonly issuer: string;
  readonly audience: string;
  /** An access token's lifetime. The view reaches back that far and a clock skew more. */
  readonly lifetimeSeconds: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export interface Verifier {
  /** @throws AppError TokenError, TokenRevokedError, ServiceUnavailable */
  verify(token: string): Promise<AccessClaims>;
  /** The keys are there, and either the view is current or auth answers. */
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

  async function checkSignature(token: string): Promise<AccessClaims> {
    const known = verified.get(token);
    if (known) return known;
    const claims = await verifyAccessToken(token, {
      keyFor: (kid) => keySet.keyFor(kid),
      algorithms: VERIFICATION_ALGORITHMS,
      issuer: parts.issuer,
      audience: parts.audience,
      now,
    });
    verified.set(token, claims);
    return claims;
  }

  async function checkStanding(claims: AccessClaims): Promise<void> {
    if (view.isRevoked(claims)) throw new AppError("TokenRevokedError");
    const viewIsCurrent = follower.isCurrent();
    const answer = viewIsCurrent ? undefined : await introspector.ask(claims);
    const authAnswers = viewIsCurrent ? undefined : answer !== undefined;
    const decider = deciderFor({ viewIsCurrent, authAnswers, viewHasCaughtUp: follower.hasCaughtUp() });
    if (decider === "nobody")
      throw new AppError("ServiceUnavailable", { detail: "It cannot be known now whether the token still stands" });
    if (decider === "auth" && answer?.active !== true) {
      if (answer) remember(view, claims, answer);
      throw new AppError("TokenRevokedError");
    }
  }

  return {
    async verify(token) {
      const claims = await checkSignature(token);
      // Further back the view does not reach, so it could not vouch.
      if (claims.iat < now() / 1_000 - lifetimeSeconds - CLOCK_SKEW_SECONDS) throw new AppError("TokenError");
      await checkStanding(claims);
      return claims;
    },
    ready: async () => keySet.isLoaded() && (follower.isCurrent() || (await introspector.answers())),
  };
}

/** Enters what auth refused, so that no token is accepted again that was refused once. */
function remember(view: RevocationView, { sub, sid, tokenVersion }: AccessClaims, answer: IntrospectionResult): void {
  if (answer.session_ended) view.endSession(sid);
  const least = answer.least_token_version ?? tokenVersion + 1;
  if (least > tokenVersion) view.raiseVersion(sub, least);
}
