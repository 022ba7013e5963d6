import { newId } from "@gatehouse/contracts";
import { AppError } from "@gatehouse/errors";
import {
  hashRefreshToken,
  hasRefreshTokenShape,
  newRefreshToken,
  sealSuccessor,
  unsealSuccessor,
} from "./refresh-token.ts";
import type { AuthHandle, AuthTransact } from "../../db/database.ts";
import {
  findSessionOfToken,
  findSpentToken,
  type RefreshedIdentity,
  rotateRefreshToken,
  type SpentToken,
} from "../../repositories/sessions/refresh-token.repository.ts";
import { setSessionEnded, lockSession } from "../../repositories/sessions/session.repository.ts";
import type { AccessTokenService, IssuedAccessToken } from "./access-token.service.ts";
import { createRefreshMetric, type RefreshOutcome } from "./session-metrics.ts";
import { sessionRevoked } from "./session.service.ts";

export interface Refreshed extends IssuedAccessToken {
  readonly refreshToken: string;
  /** Seconds. */
  readonly refreshExpiresIn: number;
}

/** Only the response that ended the session clears the cookie: a tab that lost a harmless race must stay logged in. */
export interface RejectedRefresh {
  readonly error: AppError;
  readonly endedSession: boolean;
}

interface RefreshServiceConfig {
  readonly refreshTokenSeconds: number;
  readonly sessionSeconds: number;
  readonly reuseGraceSeconds: number;
}

export interface RefreshServiceDeps {
  readonly db: AuthHandle;
  readonly transact: AuthTransact;
  readonly accessTokens: AccessTokenService;
  readonly config: RefreshServiceConfig;
  readonly now: () => Date;
}

export type RefreshService = ReturnType<typeof createRefreshService>;

/** Rotates refresh tokens with replay detection (RFC 9700, section 4.14.2). */
export function createRefreshService({ db, transact, accessTokens, config, now }: RefreshServiceDeps) {
  const count = createRefreshMetric();

  async function rotate(presented: string): Promise<{ identity: RefreshedIdentity; successor: string } | undefined> {
    const successor = newRefreshToken();
    const identity = await rotateRefreshToken(db, {
      presentedHash: hashRefreshToken(presented),
      successorId: newId(),
      successorHash: hashRefreshToken(successor),
      sealedSuccessor: config.reuseGraceSeconds > 0 ? sealSuccessor(successor, presented) : null,
      tokenSeconds: config.refreshTokenSeconds,
      sessionSeconds: config.sessionSeconds,
    });
    return identity && { identity, successor };
  }

  /** Ends the session of a replayed token and returns the error. Throwing inside the transaction would roll that back. */
  async function handleReuse(presented: string) {
    const tokenHash = hashRefreshToken(presented);
    const found = await findSessionOfToken(db, tokenHash);
    if (!found) return rejected("TokenError");
    return transact(async (trx, emit) => {
      await lockSession(trx, found.sessionId);
      const token = await findSpentToken(trx, tokenHash, config.sessionSeconds);
      if (!token || token.expired) return rejected("TokenError");
      if (token.sessionEnded) return rejected("TokenRevokedError");
      if (token.rotatedAgo === null) return rejected("TokenError");
      if (token.rotatedAgo < config.reuseGraceSeconds) return answerWithSuccessor(token, presented);
      await setSessionEnded(trx, token.sessionId, "replay");
      emit(await sessionRevoked(trx, token.userId, token.sessionId, "replay"));
      return rejected("TokenRevokedError", true);
    });
  }

  /** Returns the outcome for the metric and the result for the caller. */
  async function refresh(presented: string): Promise<[RefreshOutcome, Refreshed | RejectedRefresh]> {
    if (!hasRefreshTokenShape(presented)) return ["refused", rejected("TokenError")];
    const issuedAt = now();
    const rotated = await rotate(presented);
    const result = rotated ?? (await handleReuse(presented));
    if ("error" in result) return [result.endedSession ? "replayed" : "refused", result];
    const token = await accessTokens.mint(result.identity, issuedAt);
    const refreshed = { ...token, refreshToken: result.successor, refreshExpiresIn: result.identity.expiresIn };
    return [rotated ? "rotated" : "reused", refreshed];
  }

  return {
    /** Returns a new pair of tokens, or the error. */
    async refresh(presented: string): Promise<Refreshed | RejectedRefresh> {
      try {
        const [outcome, result] = await refresh(presented);
        count(outcome);
        return result;
      } catch (error) {
        count("failed");
        throw error;
      }
    },
  };
}

/** Returns the same successor within the reuse grace, as long as it is unused. */
function answerWithSuccessor(token: SpentToken, presented: string) {
  const { sealedSuccessor, successor: identity, successorUsed } = token;
  const successor = sealedSuccessor && !successorUsed ? unsealSuccessor(sealedSuccessor, presented) : undefined;
  return successor !== undefined && identity !== undefined ? { identity, successor } : rejected("TokenError");
}

function rejected(code: "TokenError" | "TokenRevokedError", endedSession = false): RejectedRefresh {
  return { error: new AppError(code), endedSession };
}
