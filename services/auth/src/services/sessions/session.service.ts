import type { AccessClaims } from "@gatehouse/access";
import { AppError } from "@gatehouse/errors";
import { createEvent } from "@gatehouse/messaging";
import { hashRefreshToken, hasRefreshTokenShape } from "./refresh-token.ts";
import type { AuthHandle, AuthTransact, AuthTransaction } from "../../db/database.ts";
import { findVersion, setAccount } from "../../repositories/accounts/account.repository.ts";
import { findSessionOfToken } from "../../repositories/sessions/refresh-token.repository.ts";
import {
  type EndReason,
  setSessionEnded,
  setSessionsEnded,
  listLiveSessions,
  isSessionLive,
  type Session,
} from "../../repositories/sessions/session.repository.ts";
import { sessionsRevoked } from "../accounts/account-events.ts";
import { actorOf, lockActor } from "../accounts/actor.ts";

export type SessionService = ReturnType<typeof createSessionService>;

export interface SessionServiceDeps {
  readonly db: AuthHandle;
  readonly transact: AuthTransact;
}

/** Lists and ends the sessions of a user. */
export function createSessionService({ db, transact }: SessionServiceDeps) {
  return {
    listLive: (userId: string): Promise<Session[]> => listLiveSessions(db, userId),

    /** Ends one session. A session that has already ended is no error. */
    async logout(sessionId: string): Promise<void> {
      await transact(async (trx, emit) => {
        const userId = await setSessionEnded(trx, sessionId, "logout");
        if (userId !== undefined) emit(await sessionRevoked(trx, userId, sessionId, "logout"));
      });
    },

    /**
     * Returns the id of the live session that a refresh token belongs to. The token may have been rotated.
     * @throws AppError TokenError, TokenRevokedError
     */
    async sessionOfRefreshToken(token: string): Promise<string> {
      const found = hasRefreshTokenShape(token) ? await findSessionOfToken(db, hashRefreshToken(token)) : undefined;
      if (!found || found.expired) throw new AppError("TokenError");
      if (!(await isSessionLive(db, found.sessionId, found.userId))) throw new AppError("TokenRevokedError");
      return found.sessionId;
    },

    /** Ends every session of the caller and every access token. @throws AppError TokenRevokedError */
    async logoutAll(caller: AccessClaims): Promise<void> {
      await transact(async (trx, emit) => {
        const before = await lockActor(trx, actorOf(caller));
        const account = await setAccount(trx, caller.sub, {
          tokenVersion: before.tokenVersion + 1,
          version: before.version + 1,
        });
        await setSessionsEnded(trx, caller.sub, "logout_all");
        emit(sessionsRevoked(account, "logout_all", account.id));
      });
    },

    /** Ends one live session of the caller. @throws AppError ResourceNotFound */
    async remove(caller: AccessClaims, sessionId: string): Promise<void> {
      await transact(async (trx, emit) => {
        const options = { userId: caller.sub, onlyUnexpired: true };
        const userId = await setSessionEnded(trx, sessionId, "removed", options);
        if (userId === undefined) throw new AppError("ResourceNotFound");
        emit(await sessionRevoked(trx, userId, sessionId, "removed"));
      });
    },
  };
}

/** Returns the event of one session's end. It carries the user's current version, which it does not raise. */
export async function sessionRevoked(
  trx: AuthTransaction,
  userId: string,
  sessionId: string,
  reason: Extract<EndReason, "logout" | "removed" | "replay">,
) {
  return createEvent({
    source: "auth",
    type: "auth.session.revoked",
    subject: userId,
    // The sender of a replayed token may not be the user.
    ...(reason !== "replay" && { actor: userId }),
    version: await findVersion(trx, userId),
    data: { user_id: userId, session_id: sessionId, reason },
  });
}
