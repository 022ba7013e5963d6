import type { Role } from "@gatehouse/contracts";

/** RFC 9068, section 2.1. */
export const ACCESS_TOKEN_TYPE = "at+jwt";
/** The only client; every access token is issued to it. */
export const CLIENT_ID = "gatehouse";

/** The claims of a verified access token. Times in seconds since 1970. */
export interface AccessClaims {
  /** The user's id. */
  readonly sub: string;
  /** The session's id. */
  readonly sid: string;
  readonly role: Role;
  readonly tokenVersion: number;
  readonly iat: number;
  readonly exp: number;
  readonly jti: string;
  /** The key that signed it. */
  readonly kid: string;
  readonly clientId: string;
}

/**
 * Returns the claims of a valid token.
 * @throws AppError TokenError, TokenRevokedError, ServiceUnavailable
 */
export type VerifyBearer = (token: string) => Promise<AccessClaims>;
