import { lengthOf, LIMITS, newId, normalizeEmail } from "@gatehouse/contracts";
import { AppError, isAppError } from "@gatehouse/errors";
import { createEvent, outboxRow, type Relay } from "@gatehouse/messaging";
import { hashRefreshToken, newRefreshToken } from "./refresh-token.ts";
import type { AuthHandle } from "../../db/database.ts";
import {
  type Account,
  findAccountByEmail,
  setPasswordHashIfUnchanged,
} from "../../repositories/accounts/account.repository.ts";
import { insertSession, type NewSession } from "../../repositories/sessions/session.repository.ts";
import type { AccessTokenService, IssuedAccessToken } from "./access-token.service.ts";
import { createLoginMetric } from "./session-metrics.ts";
import type { PasswordHasher } from "../passwords/password-hasher.ts";

export interface LoginAttempt {
  readonly email: string;
  readonly password: string;
  readonly deviceId: string | null;
  readonly deviceName: string | null;
  readonly ipAddress: string | null;
}

export interface Login extends IssuedAccessToken {
  readonly account: Account;
  readonly refreshToken: string;
  /** Seconds. */
  readonly refreshExpiresIn: number;
}

export interface LoginServiceDeps {
  readonly db: AuthHandle;
  readonly hasher: PasswordHasher;
  readonly accessTokens: AccessTokenService;
  /** Woken directly, because the session's event is written without `transact`. */
  readonly relay: Pick<Relay, "wake">;
  readonly config: { readonly refreshTokenSeconds: number; readonly sessionSeconds: number };
  readonly now: () => Date;
}

/** Attempts of one login whose account changes while its password is verified. */
const MAX_ATTEMPTS = 4;

export type LoginService = ReturnType<typeof createLoginService>;

/** Logs in with email and password: two database round trips around one hash, and no lock while it is computed. */
export function createLoginService({ db, hasher, accessTokens, relay, config, now }: LoginServiceDeps) {
  const counted = createLoginMetric();
  const refreshExpiresIn = Math.min(config.refreshTokenSeconds, config.sessionSeconds);

  /** Returns the account. Every failed check but InactiveUser gives the same error. */
  async function verifyCredentials(email: string, password: string): Promise<Account> {
    if (lengthOf(password) > LIMITS.passwordMax) throw new AppError("InvalidCredentials");
    const account = await findAccountByEmail(db, normalizeEmail(email));
    const matches = await hasher.verify(account?.passwordHash, password);
    if (!account || !matches) throw new AppError("InvalidCredentials");
    if (!account.isActive) throw new AppError("InactiveUser");
    return account;
  }

  /** Returns undefined when the account has changed since its password was verified. */
  async function startSession(account: Account, attempt: LoginAttempt) {
    const { session, event, refreshToken } = newSession(account, attempt, refreshExpiresIn);
    const row = outboxRow(event);
    const started = await insertSession(db, account, session, row);
    if (!started) return undefined;
    relay.wake([row]);
    return { sessionId: session.id, refreshToken };
  }

  /**
   * Starts a session of an account whose password is still current. When the account changes meanwhile, verifies again:
   * a new role or a logout of all devices does not make the password wrong.
   */
  async function verifyAndStart(attempt: LoginAttempt) {
    for (let count = 1; count <= MAX_ATTEMPTS; count += 1) {
      const account = await verifyCredentials(attempt.email, attempt.password);
      const session = await startSession(account, attempt);
      if (session) return { account, ...session };
    }
    throw new AppError("InvalidCredentials");
  }

  /** Replaces a hash made with other parameters. When the queue is full, the next login does it. */
  async function upgradeHash(account: Account, password: string): Promise<void> {
    if (!hasher.needsRehash(account.passwordHash)) return;
    try {
      await setPasswordHashIfUnchanged(db, account.id, account.passwordHash, await hasher.hash(password));
    } catch (error) {
      if (!isAppError(error, "ServiceUnavailable")) throw error;
    }
  }

  async function login(attempt: LoginAttempt): Promise<Login> {
    const issuedAt = now();
    const { account, sessionId, refreshToken } = await verifyAndStart(attempt);
    const { id: userId, role, tokenVersion } = account;
    const subject = { userId, sessionId, role, tokenVersion, expiresIn: refreshExpiresIn };
    const token = await accessTokens.mint(subject, issuedAt);
    await upgradeHash(account, attempt.password);
    return { ...token, account, refreshToken, refreshExpiresIn };
  }

  return {
    /** @throws AppError InvalidCredentials, InactiveUser, ServiceUnavailable */
    login: (attempt: LoginAttempt): Promise<Login> => counted(login(attempt)),
  };
}

/** Returns a session of the account, its event and its first refresh token, which expires after `tokenSeconds`. */
function newSession(account: Account, { deviceId, deviceName, ipAddress }: LoginAttempt, tokenSeconds: number) {
  const id = newId();
  const refreshToken = newRefreshToken();
  const tokenHash = hashRefreshToken(refreshToken);
  const session: NewSession = { id, deviceId, deviceName, ipAddress, tokenId: newId(), tokenHash, tokenSeconds };
  const event = createEvent({
    source: "auth",
    type: "auth.session.started",
    subject: account.id,
    actor: account.id,
    version: account.version,
    data: { user_id: account.id, session_id: id, device_name: deviceName, ip_address: ipAddress },
  });
  return { session, event, refreshToken };
}
