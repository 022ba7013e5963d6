import type { AccountRow, Evidence, UserRow } from "./evidence.ts";

/** Holds each projection against its source, row by row. */

export function checkUsersProjection({ auth, user }: Evidence): string[] {
  const users = new Map(user.users.map((row) => [row.id, row]));
  const lastShown = new Map<string, number>();
  for (const { event } of auth.outbox)
    if (event.type.startsWith("auth.account.") && event.type !== "auth.account.deleted")
      lastShown.set(event.subject, Math.max(lastShown.get(event.subject) ?? 0, event.version ?? 0));
  const accountIds = new Set(auth.accounts.map(({ id }) => id));
  return [
    ...auth.accounts.flatMap((account) => compare(account, users.get(account.id), lastShown.get(account.id))),
    ...user.users.filter(({ id }) => !accountIds.has(id)).map(({ id }) => `user ${id} has no account`),
    ...compareTombstones(auth.tombstones, user.tombstones),
  ];
}

export function checkNamesProjection({ auth, user }: Evidence): string[] {
  const users = new Map(user.users.map((row) => [row.id, row]));
  return auth.accounts
    .filter(({ id, full_name: name }) => users.get(id)?.full_name !== name)
    .map(({ id }) => `account ${id} shows another name than its user`);
}

function compare(account: AccountRow, user: UserRow | undefined, lastShown = 1): string[] {
  const { id } = account;
  if (!user) return [`account ${id} has no user`];
  const wrong: string[] = [];
  for (const field of ["email", "role", "is_active", "is_verified"] as const)
    if (user[field] !== account[field]) wrong.push(`user ${id}: ${field} differs from its account`);
  for (const field of ["created_at", "deleted_at"] as const)
    if (user[field]?.getTime() !== account[field]?.getTime())
      wrong.push(`user ${id}: ${field} differs from its account`);
  // Not equal: a change of which the projection has nothing to show (a password's) raises the version without an event of its own.
  if (user.account_version < lastShown || user.account_version > account.version)
    wrong.push(
      `user ${id} follows version ${user.account_version} of its account, which is at ${account.version} and showed ${lastShown} last`,
    );
  return wrong;
}

function compareTombstones(source: Evidence["auth"]["tombstones"], copy: Evidence["user"]["tombstones"]): string[] {
  const copies = new Map(copy.map(({ id, version }) => [id, version]));
  const ids = new Set(source.map(({ id }) => id));
  return [
    ...source
      .filter(({ id, version }) => copies.get(id) !== version)
      .map(({ id }) => `account ${id} was erased, its user was not`),
    ...copy.filter(({ id }) => !ids.has(id)).map(({ id }) => `user ${id} was erased, its account was not`),
  ];
}
