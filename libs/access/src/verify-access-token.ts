import { parseRole, uuid } from "@gatehouse/contracts";
import { AppError, isAppError } from "@gatehouse/errors";
import { type CryptoKey, type JWTPayload, jwtVerify } from "jose";
import { ACCESS_TOKEN_TYPE, type AccessClaims, CLIENT_ID } from "./claims.ts";

export interface VerificationOptions {
  /** The public key of a kid; undefined when there is none. */
  readonly keyFor: (kid: string) => Promise<CryptoKey | undefined>;
  readonly algorithms: readonly string[];
  readonly issuer: string;
  readonly audience: string;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Longer than any token of ours; bounds the work that a forger can ask for. */
const MAX_LENGTH = 8_192;
/** How far clocks may differ, in seconds: for when a token begins to be valid, not for when it ends. */
const CLOCK_SKEW = 30;
const KID_MAX = 100;

const idShape = uuid();

/**
 * Checks an access token by itself: signature, header and claims (RFC 9068, section 4). Whether it has been revoked is another matter.
 * @throws AppError TokenError; ServiceUnavailable where `keyFor` throws it
 */
export async function verifyAccessToken(token: string, options: VerificationOptions): Promise<AccessClaims> {
  if (token.length > MAX_LENGTH) throw new AppError("TokenError");
  const now = options.now?.() ?? Date.now();
  try {
    let signedBy = "";
    const { payload } = await jwtVerify(
      token,
      async ({ kid }) => {
        const key = typeof kid === "string" && kid.length <= KID_MAX ? await options.keyFor(kid) : undefined;
        if (!key) throw new AppError("TokenError");
        signedBy = String(kid);
        return key;
      },
      {
        algorithms: [...options.algorithms],
        issuer: options.issuer,
        audience: options.audience,
        typ: ACCESS_TOKEN_TYPE,
        clockTolerance: CLOCK_SKEW,
        currentDate: new Date(now),
        requiredClaims: ["sub", "sid", "iat", "exp", "jti", "client_id", "role", "token_version"],
      },
    );
    return toClaims(payload, signedBy, now / 1000);
  } catch (error) {
    if (isAppError(error)) throw error;
    throw new AppError("TokenError", { cause: error });
  }
}

function toClaims(payload: JWTPayload, kid: string, now: number): AccessClaims {
  const { sub, iat, exp, jti } = payload;
  const { sid, role, token_version: tokenVersion, client_id: clientId } = payload;
  const wellFormed =
    isId(sub) &&
    isId(sid) &&
    typeof role === "string" &&
    typeof tokenVersion === "number" &&
    Number.isSafeInteger(tokenVersion) &&
    typeof jti === "string" &&
    clientId === CLIENT_ID &&
    typeof iat === "number" &&
    typeof exp === "number" &&
    iat <= now + CLOCK_SKEW &&
    exp > now;
  if (!wellFormed) throw new AppError("TokenError");
  return { sub, sid, role: parseRole(role), tokenVersion, iat, exp, jti, kid, clientId };
}

/** Only the form in which ids are issued: the view looks them up by their text. */
function isId(value: unknown): value is string {
  const parsed = idShape.safeParse(value);
  return parsed.success && parsed.data === value;
}
