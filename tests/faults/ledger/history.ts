import type { GatehouseEvent } from "@gatehouse/contracts";
import type { AccountRow, Evidence, UserRow } from "./evidence.ts";

// Compare the tables with the events that were written with them, and the projections with their sources.

const FACTS = ["email", "role", "is_active", "is_verified"] as const;
const dataOf = (event: GatehouseEvent | undefined) => event?.data as Readonly<Record<string, unknown>> | undefined;
const versionOf = (event: GatehouseEvent | undefined) => event?.version ?? 0;
const unless = (isRight: boolean, finding: string) => (isRight ? [] : [finding]);
const eventsOf = ({ outbox }: Evidence["auth" | "user"]) => outbox.map(({ event }) => event);

export function checkAccounts({ auth }: Evidence): string[] {
  const histories = historiesOf(eventsOf(auth));
  const known = new Set([...auth.accounts, ...auth.tombstones].map(({ id }) => id));
  return [
    ...[...histories.keys()].flatMap((id) => unless(known.has(id), `account ${id} has events and no row`)),
    ...auth.tombstones.flatMap(({ id, version }) => checkVersions(`account ${id}`, histories.get(id), version)),
    ...auth.accounts.flatMap((row) => checkRow("account", "auth.account", row, histories.get(row.id), FACTS)),
  ];
}

export function checkProfiles({ user }: Evidence): string[] {
  const histories = historiesOf(eventsOf(user));
  return [
    ...user.users.flatMap((row) => [
      ...unless(row.is_registered, `user ${row.id} was never registered`),
      ...checkRow("user", "user", row, histories.get(row.id), ["full_name"]),
    ]),
    ...user.tombstones.flatMap(({ id }) => {
      const last = histories.get(id)?.at(-1);
      return [
        ...checkVersions(`erased user ${id}`, histories.get(id), versionOf(last)),
        ...unless(last?.type === "user.deleted", `erased user ${id}: its last event is not its deletion`),
      ];
    }),
  ];
}

/** Compares a row with its events: the versions, each fact with the last event that has it, and the deletion. */
function checkRow(
  kind: string,
  prefix: string,
  row: AccountRow,
  events: readonly GatehouseEvent[] = [],
  facts: readonly (keyof AccountRow)[],
): string[] {
  const name = `${kind} ${row.id}`;
  const deletion = events.findLast(({ type }) => type === `${prefix}.deleted` || type === `${prefix}.restored`);
  const isDeleted = deletion?.type === `${prefix}.deleted`;
  return [
    ...checkVersions(name, events, row.version),
    ...facts.flatMap((fact) => {
      const data = dataOf(events.findLast((event) => fact in (dataOf(event) ?? {})));
      return unless(data === undefined || data[fact] === row[fact], `${name}: ${fact} differs from its last event`);
    }),
    ...unless(isDeleted === (row.deleted_at !== null), `${name}: its deletion differs from its events`),
  ];
}

/** Reasons that end one session with an event of its own. */
const SINGLE_ENDS: readonly unknown[] = ["logout", "removed", "replay"];

export function checkSessions({ auth }: Evidence): string[] {
  const idsIn = (type: string) =>
    eventsOf(auth).flatMap((event) => (event.type === type ? dataOf(event)?.["session_id"] : []));
  const started = new Set(idsIn("auth.session.started"));
  const ended = Map.groupBy(idsIn("auth.session.revoked"), (id) => id);
  const accounts = new Map(auth.accounts.map((account) => [account.id, account]));
  return auth.sessions.flatMap(({ id, user_id, ended: hasEnded, reason }) => {
    const ends = ended.get(id)?.length ?? 0;
    const account = accounts.get(user_id);
    const mayBeAlive = account?.is_active === true && account.deleted_at === null;
    return [
      ...unless(started.has(id), `session ${id} has no start event`),
      ...unless(ends === (SINGLE_ENDS.includes(reason) ? 1 : 0), `session ${id} (${reason}): ${ends} end events`),
      ...unless(hasEnded || mayBeAlive, `session ${id} is alive although its user may not log in`),
    ];
  });
}

/** Each session has at most one usable token, and each rotation has its own successor. */
export function checkTokens({ auth }: Evidence): string[] {
  const ids = new Set(auth.tokens.map(({ id }) => id));
  return [...Map.groupBy(auth.tokens, ({ session_id }) => session_id)].flatMap(([id, tokens]) => {
    const successors = tokens.flatMap(({ replaced_by }) => replaced_by ?? []);
    const usable = tokens.filter(({ revoked }) => !revoked).length;
    return [
      ...unless(usable <= 1, `session ${id} has ${usable} usable refresh tokens`),
      ...unless(new Set(successors).size === successors.length, `session ${id}: two tokens have one successor`),
      ...unless(
        successors.every((one) => ids.has(one)),
        `session ${id}: a successor does not exist`,
      ),
      ...unless(successors.length === tokens.length - 1, `session ${id}: a token is no successor`),
    ];
  });
}

export function checkUsersProjection({ auth, user }: Evidence): string[] {
  const users = new Map(user.users.map((row) => [row.id, row]));
  const accountIds = new Set(auth.accounts.map(({ id }) => id));
  const shown = eventsOf(auth).filter(
    ({ type }) => type.startsWith("auth.account.") && type !== "auth.account.deleted",
  );
  const versions = Map.groupBy(shown, ({ subject }) => subject);
  const lastShown = (id: string) => Math.max(...(versions.get(id)?.map(versionOf) ?? [1]));
  return [
    ...auth.accounts.flatMap((account) => compareUser(account, users.get(account.id), lastShown(account.id))),
    ...user.users.flatMap(({ id }) => unless(accountIds.has(id), `user ${id} has no account`)),
    ...missingIn(user.tombstones, auth.tombstones).map((id) => `account ${id} was erased, its user was not`),
    ...missingIn(auth.tombstones, user.tombstones).map((id) => `user ${id} was erased, its account was not`),
  ];
}

export function checkNamesProjection({ auth, user }: Evidence): string[] {
  const names = new Map(user.users.map(({ id, full_name: name }) => [id, name]));
  return auth.accounts.flatMap(({ id, full_name: name }) =>
    unless(names.get(id) === name, `account ${id}: name differs from its user`),
  );
}

function compareUser(account: AccountRow, user: UserRow | undefined, lastShown: number): string[] {
  const { id, version } = account;
  if (!user) return [`account ${id} has no user`];
  const { account_version: followed } = user;
  return [
    ...[...FACTS, "created_at" as const, "deleted_at" as const].flatMap((field) =>
      unless(
        JSON.stringify(user[field]) === JSON.stringify(account[field]),
        `user ${id}: ${field} differs from its account`,
      ),
    ),
    // Not equal: a password change raises the account's version without an event for the projection.
    ...unless(
      followed >= lastShown && followed <= version,
      `user ${id} is at version ${followed} of its account, which is at ${lastShown} to ${version}`,
    ),
  ];
}

type Tombstones = Evidence["auth"]["tombstones"];

function missingIn(rows: Tombstones, others: Tombstones): string[] {
  const versions = new Map(rows.map(({ id, version }) => [id, version]));
  return others.filter(({ id, version }) => versions.get(id) !== version).map(({ id }) => id);
}

/** The events of each user by version; events of sessions and keys change no version. */
function historiesOf(events: readonly GatehouseEvent[]): Map<string, GatehouseEvent[]> {
  const changes = events
    .filter(({ type }) => !type.startsWith("auth.session.") && !type.startsWith("auth.key."))
    .toSorted((one, other) => versionOf(one) - versionOf(other));
  return Map.groupBy(changes, ({ subject }) => subject);
}

/** Each version from 1 to the last has events, with at most one of each type. */
function checkVersions(row: string, events: readonly GatehouseEvent[] = [], last: number): string[] {
  const present = new Set(events.map(versionOf));
  const versions = Array.from({ length: last }, (_, index) => index + 1);
  const groups = [...Map.groupBy(events, ({ type, version }) => `${type} of version ${version}`)];
  return [
    ...versions.flatMap((one) => unless(present.has(one), `${row}: no event of version ${one} of ${last}`)),
    ...[...present].flatMap((one) => unless(one <= last, `${row}: an event of version ${one}, after ${last}`)),
    ...groups.flatMap(([key, { length }]) => unless(length === 1, `${row}: ${length} events ${key}`)),
  ];
}
