import type { GatehouseEvent } from "@gatehouse/contracts";
import type { AccountRow, Evidence, OutboxRow, UserRow } from "./evidence.ts";

// Compare the tables with the events that were written with them, and the projections with their sources.

type Tombstones = Evidence["auth"]["tombstones"];

const FACTS = ["email", "role", "is_active", "is_verified"] as const;
const dataOf = (event: GatehouseEvent) => event.data as Readonly<Record<string, unknown>>;
const versionOf = (event: GatehouseEvent | undefined) => event?.version ?? 0;

export function checkAccounts({ auth }: Evidence): string[] {
  const histories = historiesOf(auth.outbox);
  const ends = [...auth.accounts, ...auth.tombstones];
  const known = new Set(ends.map(({ id }) => id));
  return [
    ...ends.flatMap(({ id, version }) => checkVersions(`account ${id}`, histories.get(id) ?? [], version)),
    ...[...histories.keys()].filter((id) => !known.has(id)).map((id) => `account ${id} has events and no row`),
    ...auth.accounts.flatMap((account) => {
      const events = histories.get(account.id) ?? [];
      const last = events.findLast(({ type }) => type.startsWith("auth.account.") && type !== "auth.account.deleted");
      const differing = FACTS.filter((fact) => last && dataOf(last)[fact] !== account[fact]);
      return [
        ...differing.map((fact) => `account ${account.id}: ${fact} differs from its last event`),
        ...checkDeletion(`account ${account.id}`, "auth.account", events, account.deleted_at),
      ];
    }),
  ];
}

export function checkProfiles({ user }: Evidence): string[] {
  const histories = historiesOf(user.outbox);
  return [
    ...user.users.flatMap(({ id, version, full_name, is_registered, deleted_at }) => {
      const events = histories.get(id) ?? [];
      const named = events.findLast(({ type }) => type === "user.registered" || type === "user.profile.updated");
      return [
        ...checkVersions(`user ${id}`, events, version),
        ...(is_registered ? [] : [`user ${id} was never registered`]),
        ...(named && dataOf(named)["full_name"] !== full_name ? [`user ${id}: name differs from its last event`] : []),
        ...checkDeletion(`user ${id}`, "user", events, deleted_at),
      ];
    }),
    ...user.tombstones.flatMap(({ id }) => {
      const events = histories.get(id) ?? [];
      return [
        ...checkVersions(`erased user ${id}`, events, versionOf(events.at(-1))),
        ...(events.at(-1)?.type === "user.deleted" ? [] : [`erased user ${id}: its last event is not its deletion`]),
      ];
    }),
  ];
}

/** Reasons that end one session with an event of its own. */
const SINGLE_ENDS: readonly unknown[] = ["logout", "removed", "replay"];

export function checkSessions({ auth }: Evidence): string[] {
  const idsIn = (type: string) =>
    auth.outbox.filter(({ event }) => event.type === type).map(({ event }) => String(dataOf(event)["session_id"]));
  const started = new Set(idsIn("auth.session.started"));
  const ended = Map.groupBy(idsIn("auth.session.revoked"), (id) => id);
  const accounts = new Map(auth.accounts.map((account) => [account.id, account]));
  return auth.sessions.flatMap(({ id, user_id, ended: hasEnded, reason }) => {
    const ends = ended.get(id)?.length ?? 0;
    const account = accounts.get(user_id);
    const mayBeAlive = account?.is_active && account.deleted_at === null;
    return [
      ...(started.has(id) ? [] : [`session ${id} has no start event`]),
      ...(ends === (SINGLE_ENDS.includes(reason) ? 1 : 0) ? [] : [`session ${id} (${reason}): ${ends} end events`]),
      ...(hasEnded || mayBeAlive ? [] : [`session ${id} is alive although its user may not log in`]),
    ];
  });
}

/** Each session has at most one usable token, and each rotation has its own successor. */
export function checkTokens({ auth }: Evidence): string[] {
  const ids = new Set(auth.tokens.map(({ id }) => id));
  return [...Map.groupBy(auth.tokens, ({ session_id }) => session_id)].flatMap(([session, tokens]) => {
    const successors = tokens.flatMap(({ replaced_by }) => replaced_by ?? []);
    const wrong = {
      "two usable refresh tokens": tokens.filter(({ revoked }) => !revoked).length > 1,
      "two tokens with one successor": new Set(successors).size !== successors.length,
      "a successor that does not exist": successors.some((id) => !ids.has(id)),
      "a token that is no successor": successors.length !== tokens.length - 1,
    };
    return Object.entries(wrong).flatMap(([what, isSo]) => (isSo ? [`session ${session} has ${what}`] : []));
  });
}

export function checkUsersProjection({ auth, user }: Evidence): string[] {
  const users = new Map(user.users.map((row) => [row.id, row]));
  const accountIds = new Set(auth.accounts.map(({ id }) => id));
  const shown = Map.groupBy(
    auth.outbox
      .map(({ event }) => event)
      .filter(({ type }) => type.startsWith("auth.account.") && type !== "auth.account.deleted"),
    ({ subject }) => subject,
  );
  const lastShown = (id: string) => Math.max(...(shown.get(id)?.map(versionOf) ?? [1]));
  return [
    ...auth.accounts.flatMap((account) => compareUser(account, users.get(account.id), lastShown(account.id))),
    ...user.users.filter(({ id }) => !accountIds.has(id)).map(({ id }) => `user ${id} has no account`),
    ...missingIn(user.tombstones, auth.tombstones).map((id) => `account ${id} was erased, its user was not`),
    ...missingIn(auth.tombstones, user.tombstones).map((id) => `user ${id} was erased, its account was not`),
  ];
}

export function checkNamesProjection({ auth, user }: Evidence): string[] {
  const names = new Map(user.users.map(({ id, full_name: name }) => [id, name]));
  return auth.accounts
    .filter(({ id, full_name: name }) => names.get(id) !== name)
    .map(({ id }) => `account ${id}: name differs from its user`);
}

function compareUser(account: AccountRow, user: UserRow | undefined, lastShown: number): string[] {
  const { id, version } = account;
  if (!user) return [`account ${id} has no user`];
  const differing = [
    ...FACTS.filter((fact) => user[fact] !== account[fact]),
    ...(["created_at", "deleted_at"] as const).filter((at) => user[at]?.getTime() !== account[at]?.getTime()),
  ].map((field) => `user ${id}: ${field} differs from its account`);
  const { account_version: followed } = user;
  // Not equal: a password change raises the account's version without an event for the projection.
  if (followed >= lastShown && followed <= version) return differing;
  return [...differing, `user ${id} is at version ${followed} of its account, which is at ${lastShown} to ${version}`];
}

function missingIn(rows: Tombstones, others: Tombstones): string[] {
  const versions = new Map(rows.map(({ id, version }) => [id, version]));
  return others.filter(({ id, version }) => versions.get(id) !== version).map(({ id }) => id);
}

/** The events of each user by version; events of sessions and keys change no version. */
function historiesOf(outbox: readonly OutboxRow[]): Map<string, GatehouseEvent[]> {
  const events = outbox
    .map(({ event }) => event)
    .filter(({ type }) => !type.startsWith("auth.session.") && !type.startsWith("auth.key."))
    .toSorted((one, other) => versionOf(one) - versionOf(other));
  return Map.groupBy(events, ({ subject }) => subject);
}

/** Each version from 1 to the last has events, with at most one of each type. */
function checkVersions(row: string, events: readonly GatehouseEvent[], last: number): string[] {
  const present = new Set(events.map(versionOf));
  const versions = Array.from({ length: last }, (_, index) => index + 1);
  const repeated = [...Map.groupBy(events, ({ type, version }) => `${type} of version ${version}`)];
  return [
    ...versions.filter((one) => !present.has(one)).map((one) => `${row}: no event of version ${one} of ${last}`),
    ...[...present].filter((one) => one > last).map((one) => `${row}: an event of version ${one}, after ${last}`),
    ...repeated.filter(([, { length }]) => length > 1).map(([key, { length }]) => `${row}: ${length} events ${key}`),
  ];
}

function checkDeletion(row: string, prefix: string, events: readonly GatehouseEvent[], deletedAt: Date | null) {
  const types = [`${prefix}.deleted`, `${prefix}.restored`];
  const last = events.findLast(({ type }) => types.includes(type));
  return (last?.type === types[0]) === (deletedAt !== null) ? [] : [`${row}: its deletion differs from its events`];
}
