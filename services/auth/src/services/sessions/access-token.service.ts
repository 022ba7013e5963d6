import { ACCESS_TOKEN_TYPE, type AccessClaims, CLIENT_ID, verifyAccessToken } from "@gatehouse/access";
import { newId } from "@gatehouse/contracts";
import { AppError } from "@gatehouse/errors";
import { SignJWT } from "jose";
import type { AuthHandle } from "../../db/database.ts";
import { listTokenStatuses, type TokenStatus } from "../../repositories/sessions/token-status.repository.ts";
import { SIGNING_ALGORITHMS } from "../keys/key-material.ts";
import type { KeyService } from "../keys/key.service.ts";

interface AccessTokenConfig {
  readonly issuer: string;
  readonly audience: string;
  readonly accessTokenSeconds: number;
}

export interface AccessTokenSubject {
  readonly userId: string;
  readonly sessionId: string;
  readonly role: string;
  readonly tokenVersion: number;
  /** Seconds until the refresh token issued with it expires. */
  readonly expiresIn: number;
}

export interface IssuedAccessToken {
  readonly accessToken: string;
  /** Seconds. */
  readonly expiresIn: number;
}

export interface AccessTokenServiceDeps {
  readonly db: AuthHandle;
  readonly keys: KeyService;
  readonly config: AccessTokenConfig;
}

export type AccessTokenService = ReturnType<typeof createAccessTokenService>;

/** Issues access tokens (RFC 9068) and verifies those that auth itself receives against its tables. */
export function createAccessTokenService({ db, keys, config }: AccessTokenServiceDeps) {
  return {
    /**
     * Returns a signed access token. `issuedAt` is the moment before the account was read, so that a revocation in between
     * is later than the token. The token expires no later than the refresh token, and so no later than its session.
     */
    async mint(subject: AccessTokenSubject, issuedAt: Date): Promise<IssuedAccessToken> {
      const key = keys.signingKey();
      const iat = Math.floor(issuedAt.getTime() / 1000);
      const expiresIn = Math.min(config.accessTokenSeconds, subject.expiresIn);
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
     * Returns the claims of a bearer token that is valid by its signature and by auth's tables.
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
      const [status] = await listTokenStatuses(db, [{ userId, sessionId, kid }]);
      if (!status || !isTokenValid(status, tokenVersion)) throw new AppError("TokenRevokedError");
      return claims;
    },
  };
}

/** Returns whether a token that carries this token_version is valid. */
export function isTokenValid(status: TokenStatus, tokenVersion: number): boolean {
  const { sessionEnded, isAccountActive, isKeyValid } = status;
  return isKeyValid && isAccountActive && !sessionEnded && status.tokenVersion === tokenVersion;
}
