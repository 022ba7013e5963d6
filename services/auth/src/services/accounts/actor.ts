import type { AccessClaims } from "@gatehouse/access";
import type { OnBehalfOf } from "@gatehouse/contracts";
import { AppError } from "@gatehouse/errors";
import type { AuthTransaction } from "../../db/database.ts";
import { type Account, lockAccount } from "../../repositories/accounts/account.repository.ts";
import { lockLiveSession } from "../../repositories/sessions/session.repository.ts";

/** The caller of a command, as the access token of the request named it. */
export interface Actor {
  readonly userId: string;
  readonly sessionId: string;
  readonly tokenVersion: number;
}

export function toActor({ sub, sid, token_version }: OnBehalfOf): Actor {
  return { userId: sub, sessionId: sid, tokenVersion: token_version };
}

export function actorOf({ sub, sid, tokenVersion }: AccessClaims): Actor {
  return { userId: sub, sessionId: sid, tokenVersion };
}

/**
 * Locks the accounts of the actor and the target, in the order of their ids so that no two commands wait for each other.
 * Checks that the actor's token is valid and holds it valid until the transaction ends, so a demoted or logged-out admin
 * writes nothing. The target is locked for change, the actor only against change.
 * @throws AppError TokenRevokedError
 */
export async function lockActorAndTarget(
  trx: AuthTransaction,
  actor: Actor,
  targetId: string,
): Promise<{ actorAccount: Account; target: Account | undefined }> {
  const locked = new Map<string, Account | undefined>();
  for (const id of [...new Set([actor.userId, targetId])].toSorted())
    locked.set(id, await lockAccount(trx, id, id === targetId ? "update" : "share"));
  const actorAccount = locked.get(actor.userId);
  if (!actorAccount || !(await isActorActive(trx, actorAccount, actor))) throw new AppError("TokenRevokedError");
  return { actorAccount, target: locked.get(targetId) };
}

/** Locks the actor's own account for a change of it. @throws AppError TokenRevokedError */
export async function lockActor(trx: AuthTransaction, actor: Actor): Promise<Account> {
  return (await lockActorAndTarget(trx, actor, actor.userId)).actorAccount;
}

/** @throws AppError PermissionDenied */
export function requireAdmin(account: Account): void {
  if (account.role !== "admin") throw new AppError("PermissionDenied");
}

async function isActorActive(trx: AuthTransaction, account: Account, actor: Actor): Promise<boolean> {
  const isActive = account.isActive && account.deletedAt === null && account.tokenVersion === actor.tokenVersion;
  return isActive && (await lockLiveSession(trx, actor.sessionId, actor.userId));
}
