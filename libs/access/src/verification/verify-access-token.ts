import { parseRole, uuid } from "@gatehouse/contracts";
import { AppError } from "@gatehouse/errors";
import { type CryptoKey, decodeProtectedHeader, type JWTPayload, jwtVerify } from "jose";
import { ACCESS_TOKEN_TYPE, type AccessClaims, CLIENT_ID } from "./claims.ts";

export interface VerificationOptions {
  /** Returns the public key of a kid, undefined if there is none. Its errors are rethrown. */
  readonly keyFor: (kid: string) => Promise<CryptoKey | undefined>;
  readonly algorithms: readonly string[];
  readonly issuer: string;
  readonly audience: string;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Longer than any token that auth issues; limits the work for a forged one. */
const LENGTH_MAX = 8_192;
const KID_LENGTH_MAX = 100;
/** How much clocks may differ for the time of issue; the expiry has no leeway. */
const LEEWAY_SECONDS = 30;

const idShape = uuid();

/**
 * Verifies signature, header and claims of an access token (RFC 9068, section 4), but not whether it is revoked.
 * Only `kid` selects the key; `jwk`, `jku`, `x5c` and `x5u` are ignored, because an attacker can set them.
 * @throws AppError TokenError; and whatever `keyFor` throws
 */
export async function verifyAccessToken(token: string, options: VerificationOptions): Promise<AccessClaims> {
  const now = options.now?.() ?? Date.now();
  const kid = readKid(token, options.algorithms);
  const key = await options.keyFor(kid);
  if (!key) throw new AppError("TokenError");
  return toClaims(await readPayload(token, key, options, new Date(now)), kid, now / 1_000);
}

function readKid(token: string, algorithms: readonly string[]): string {
  if (token.length > LENGTH_MAX) throw new AppError("TokenError");
  const { alg, kid } = orTokenError(() => decodeProtectedHeader(token));
  const wellFormed =
    typeof alg === "string" && algorithms.includes(alg) && typeof kid === "string" && kid.length <= KID_LENGTH_MAX;
  if (!wellFormed) throw new AppError("TokenError");
  return kid;
}

async function readPayload(
  token: string,
  key: CryptoKey,
  { algorithms, issuer, audience }: VerificationOptions,
  currentDate: Date,
): Promise<JWTPayload> {
  const checks = { algorithms: [...algorithms], issuer, audience, typ: ACCESS_TOKEN_TYPE, currentDate };
  try {
    const { payload } = await jwtVerify(token, key, { ...checks, clockTolerance: LEEWAY_SECONDS });
    return payload;
  } catch (error) {
    throw new AppError("TokenError", { cause: error });
  }
}

function toClaims(payload: JWTPayload, kid: string, now: number): AccessClaims {
  const { sub, sid, role, iat, exp, jti, token_version: tokenVersion, client_id: clientId } = payload;
  const wellFormed =
    isId(sub) &&
    isId(sid) &&
    isWhole(tokenVersion) &&
    isWhole(iat) &&
    isWhole(exp) &&
    typeof role === "string" &&
    typeof jti === "string" &&
    clientId === CLIENT_ID &&
    iat <= now + LEEWAY_SECONDS &&
    exp > now;
  if (!wellFormed) throw new AppError("TokenError");
  return { sub, sid, role: parseRole(role), tokenVersion, iat, exp, jti, kid, clientId };
}

/** Accepts only the form in which ids are issued, because the view looks them up as text. */
function isId(value: unknown): value is string {
  const parsed = idShape.safeParse(value);
  return parsed.success && parsed.data === value;
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function orTokenError<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new AppError("TokenError", { cause: error });
  }
}
