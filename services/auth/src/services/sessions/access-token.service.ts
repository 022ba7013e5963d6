import { ACCESS_TOKEN_TYPE, type AccessClaims, CLIENT_ID, verifyAccessToken } from "@gatehouse/access";
import { newId } from "@gatehouse/contracts";
import { AppError } from "@gatehouse/errors";
import { SignJWT } from "jose";
import type { AuthHandle } from "../../db/database.ts";
import { findStanding } from "../../repositories/sessions/standing.repository.ts";
import { type KeyService, SIGNING_ALGORITHMS } from "../keys/key.service.ts";
import { stands } from "./standing.ts";

export interface AccessTokenConfig {
  readonly issuer: string;
  readonly audience: string;
  /** Lifetime in seconds. */
  readonly accessSeconds: number;
}

export interface AccessTokenSubject {
  readonly userId: string;
  readonly sessionId: string;
  readonly role: string;
  readonly tokenVersion: number;
  /** Seconds until the refresh token that comes with it expires. */
  readonly expiresIn: number;
}

export interface IssuedAccessToken {
  readonly accessToken: string;
  /** Seconds. */
  readonly expiresIn: number;
}

export type AccessTokenService = ReturnType<typeof createAccessTokenService>;

/** Mints access tokens (RFC 9068) and, for auth itself, checks them against the tables. */
export function createAccessTokenService(deps: { db: AuthHandle; keys: KeyService; config: AccessTokenConfig }) {
  const { db, keys, config } = deps;

  return {
    /**
     * `issuedAt` is the moment before the account was read, so that no revocation in between predates the token. It does not outlive
     * the refresh token: a session at its maximum age leaves nothing behind that would still be accepted.
     */
    async mint(subject: AccessTokenSubject, issuedAt: Date): Promise<IssuedAccessToken> {
      const key = keys.signingKey();
      const iat = Math.floor(issuedAt.getTime() / 1000);
      const expiresIn = Math.min(config.accessSeconds, subject.expiresIn);
      const accessToken = await new SignJWT({
        sid: subject.sessionId,
        client_id: CLIENT_ID,
        role: subject.role,
        token_version: subject.tokenVersion,
      })
        .setProtectedHeader({ alg: key.algorithm, typ: ACCESS_TOKEN_TYPE, kid: key.kid })
        .setIssuer(config.issuer)
        .setAudience(config.audience)
        .setSubject(subject.userId)
        .setIssuedAt(iat)
        .setExpirationTime(iat + expiresIn)
        .setJti(newId())
        .sign(key.privateKey);
      return { accessToken, expiresIn };
    },

    /**
     * Verifies a bearer and that it still stands, by auth's own tables.
     * @throws AppError TokenError, TokenRevokedError
     */
    async authenticate(token: string): Promise<AccessClaims> {
      const claims = await verifyAccessToken(token, {
        keyFor: (kid) => keys.publicKey(kid),
        algorithms: [...SIGNING_ALGORITHMS],
        issuer: config.issuer,
        audience: config.audience,
      });
      const { sub: userId, sid: sessionId, kid, tokenVersion } = claims;
      const [standing] = await findStanding(db, [{ userId, sessionId, kid }]);
      if (!standing || !stands(standing, tokenVersion)) throw new AppError("TokenRevokedError");
      return claims;
    },
  };
}
