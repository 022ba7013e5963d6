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
import { endSession, lockSession } from "../../repositories/sessions/session.repository.ts";
import type { AccessTokenService, IssuedAccessToken } from "./access-token.service.ts";
import { createRefreshMetric, type RefreshOutcome } from "./outcome-metrics.ts";
import { sessionRevoked } from "./session.service.ts";

export interface Refreshed extends IssuedAccessToken {
  readonly refreshToken: string;
  /** Seconds. */
  readonly refreshExpiresIn: number;
}

/** A refused refresh. Only the answer that ended the family clears the cookie: a harmless loser of a race must not log its tab out. */
export interface RefusedRefresh {
  readonly error: AppError;
  readonly endedFamily: boolean;
}

interface RefreshServiceConfig {
  /** All in seconds. */
  readonly refreshSeconds: number;
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

/** Rotation of refresh tokens with replay detection (RFC 9700, section 4.14.2). */
export function createRefreshService({ db, transact, accessTokens, config, now }: RefreshServiceDeps) {
  const count = createRefreshMetric();

  async function rotate(presented: string): Promise<{ identity: RefreshedIdentity; successor: string } | undefined> {
    const successor = newRefreshToken();
    const identity = await rotateRefreshToken(db, {
      presentedHash: hashRefreshToken(presented),
      successorId: newId(),
      successorHash: hashRefreshToken(successor),
      sealedSuccessor: config.reuseGraceSeconds > 0 ? sealSuccessor(successor, presented) : null,
      tokenLifetime: config.refreshSeconds,
      sessionLifetime: config.sessionSeconds,
    });
    return identity && { identity, successor };
  }

  /** Commits what a replay implies and answers what to say; a throw in here would roll the family's end back. */
  async function settleReuse(presented: string) {
    const tokenHash = hashRefreshToken(presented);
    const found = await findSessionOfToken(db, tokenHash);
    if (!found) return refused("TokenError");
    return transact(async (trx, emit) => {
      await lockSession(trx, found.sessionId);
      const token = await findSpentToken(trx, tokenHash, config.sessionSeconds);
      if (!token || token.expired) return refused("TokenError");
      if (token.sessionEnded) return refused("TokenRevokedError");
      if (token.rotatedAgo === null) return refused("TokenError");
      if (token.rotatedAgo < config.reuseGraceSeconds) return answerWithSuccessor(token, presented);
      await endSession(trx, token.sessionId, "replay");
      emit(await sessionRevoked(trx, token.userId, token.sessionId, "replay"));
      return refused("TokenRevokedError", true);
    });
  }

  /** What came of it, with the word for it. */
  async function refresh(presented: string): Promise<[RefreshOutcome, Refreshed | RefusedRefresh]> {
    if (!hasRefreshTokenShape(presented)) return ["refused", refused("TokenError")];
    const issuedAt = now();
    const rotated = await rotate(presented);
    const settled = rotated ?? (await settleReuse(presented));
    if ("error" in settled) return [settled.endedFamily ? "replayed" : "refused", settled];
    const token = await accessTokens.mint(settled.identity, issuedAt);
    const refreshed = { ...token, refreshToken: settled.successor, refreshExpiresIn: settled.identity.expiresIn };
    return [rotated ? "rotated" : "reused", refreshed];
  }

  return {
    /** A new pair for a refresh token, or why not. */
    async refresh(presented: string): Promise<Refreshed | RefusedRefresh> {
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

/** Within the grace: the same successor for whoever holds its predecessor, as long as nobody has used it. */
function answerWithSuccessor(token: SpentToken, presented: string) {
  const { sealedSuccessor, successor: identity, successorUsed } = token;
  const successor = sealedSuccessor && !successorUsed ? unsealSuccessor(sealedSuccessor, presented) : undefined;
  return successor !== undefined && identity !== undefined ? { identity, successor } : refused("TokenError");
}

function refused(code: "TokenError" | "TokenRevokedError", endedFamily = false): RefusedRefresh {
  return { error: new AppError(code), endedFamily };
}
