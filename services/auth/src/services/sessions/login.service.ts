import { lengthOf, LIMITS, newId, normalizeEmail } from "@gatehouse/contracts";
import { AppError, isAppError } from "@gatehouse/errors";
import { createEvent, outboxRow, type Relay } from "@gatehouse/messaging";
import { hashRefreshToken, newRefreshToken } from "./refresh-token.ts";
import type { AuthHandle } from "../../db/database.ts";
import {
  type Account,
  findAccountByEmail,
  setPasswordHashIfStill,
} from "../../repositories/accounts/account.repository.ts";
import { insertSession } from "../../repositories/sessions/refresh-token.repository.ts";
import type { AccessTokenService, IssuedAccessToken } from "./access-token.service.ts";
import { createLoginMetric } from "./outcome-metrics.ts";
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
  /** Wakes the relay: the session's event is written by a statement of its own. */
  readonly relay: Pick<Relay, "wake">;
  readonly config: { readonly refreshSeconds: number; readonly sessionSeconds: number };
  readonly now: () => Date;
}

/** How often a login begins again when the account moved while its password was being checked. */
const ROUNDS = 4;

export type LoginService = ReturnType<typeof createLoginService>;

/** Login with email and password. Two round trips to the database around one hash, none of them holding a lock while it runs. */
export function createLoginService(deps: LoginServiceDeps) {
  const { db, hasher, accessTokens, relay, config, now } = deps;
  const counted = createLoginMetric();
  const refreshExpiresIn = Math.min(config.refreshSeconds, config.sessionSeconds);

  /** The account, or the one answer that tells nothing but that it was wrong. */
  async function verifyCredentials(email: string, password: string): Promise<Account> {
    if (lengthOf(password) > LIMITS.passwordMax) throw new AppError("InvalidCredentials");
    const account = await findAccountByEmail(db, normalizeEmail(email));
    const matches = await hasher.verify(account?.passwordHash, password);
    if (!account || !matches) throw new AppError("InvalidCredentials");
    if (!account.isActive) throw new AppError("InactiveUser");
    return account;
  }

  /** undefined when the account has moved since its password was verified. */
  async function startSession(account: Account, attempt: LoginAttempt) {
    const sessionId = newId();
    const refreshToken = newRefreshToken();
    const { deviceId, deviceName, ipAddress } = attempt;
    const event = createEvent({
      source: "auth",
      type: "auth.session.started",
      subject: account.id,
      actor: account.id,
      version: account.version,
      data: { user_id: account.id, session_id: sessionId, device_name: deviceName, ip_address: ipAddress },
    });
    const session = {
      id: sessionId,
      deviceId,
      deviceName,
      ipAddress,
      tokenId: newId(),
      tokenLifetime: refreshExpiresIn,
    };
    const tokenHash = hashRefreshToken(refreshToken);
    const row = outboxRow(event);
    const started = await insertSession(db, account, { ...session, tokenHash }, row);
    if (!started) return undefined;
    relay.wake([row]);
    return { sessionId, refreshToken };
  }

  /**
   * The session of an account whose password is right now, not only when it was looked up. An account that moved in between is looked
   * at again: a new role, or logging out everywhere, makes the password no worse.
   */
  async function enter(attempt: LoginAttempt) {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const account = await verifyCredentials(attempt.email, attempt.password);
      const session = await startSession(account, attempt);
      if (session) return { account, ...session };
    }
    throw new AppError("InvalidCredentials");
  }

  /** Raises a hash to the parameters of today. A full queue only puts it off to the next login. */
  async function raiseHash(account: Account, password: string): Promise<void> {
    if (!hasher.needsRehash(account.passwordHash)) return;
    try {
      await setPasswordHashIfStill(db, account.id, account.passwordHash, await hasher.hash(password));
    } catch (error) {
      if (!isAppError(error, "ServiceUnavailable")) throw error;
    }
  }

  async function login(attempt: LoginAttempt): Promise<Login> {
    const issuedAt = now();
    const { account, sessionId, refreshToken } = await enter(attempt);
    const { id: userId, role, tokenVersion } = account;
    const subject = { userId, sessionId, role, tokenVersion, expiresIn: refreshExpiresIn };
    const token = await accessTokens.mint(subject, issuedAt);
    await raiseHash(account, attempt.password);
    return { ...token, account, refreshToken, refreshExpiresIn };
  }

  return {
    /** @throws AppError InvalidCredentials, InactiveUser, ServiceUnavailable */
    login: (attempt: LoginAttempt): Promise<Login> => counted(login(attempt)),
  };
}
