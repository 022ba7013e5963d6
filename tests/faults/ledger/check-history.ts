import type { GatehouseEvent } from "@gatehouse/contracts";
import { type AccountRow, type Evidence, groupBy, type OutboxRow, type SessionRow } from "./evidence.ts";

/** Holds the tables against the events that were written with them: each change has its event, and each event its change. */

type Data = Readonly<Record<string, unknown>>;
const dataOf = (event: GatehouseEvent) => event.data as Data;
const versionOf = (event: GatehouseEvent) => event.version ?? 0;
const byVersion = (one: GatehouseEvent, other: GatehouseEvent) => versionOf(one) - versionOf(other);

export function checkAccounts({ auth }: Evidence): string[] {
  const histories = historiesOf(auth.outbox);
  const ends = [...auth.accounts, ...auth.tombstones];
  const wrong = ends.flatMap(({ id, version }) => checkVersions(`account ${id}`, histories.get(id) ?? [], version));
  const known = new Set(ends.map(({ id }) => id));
  for (const id of histories.keys()) if (!known.has(id)) wrong.push(`account ${id} has events and no row`);
  for (const account of auth.accounts) wrong.push(...checkAccount(account, histories.get(account.id) ?? []));
  return wrong;
}

export function checkProfiles({ user }: Evidence): string[] {
  const histories = historiesOf(user.outbox);
  const wrong: string[] = [];
  for (const { id, version, full_name, is_registered, deleted_at } of user.users) {
    const events = histories.get(id) ?? [];
    wrong.push(...checkVersions(`user ${id}`, events, version));
    if (!is_registered) wrong.push(`user ${id} was never registered`);
    const named = events.findLast(({ type }) => type === "user.registered" || type === "user.profile.updated");
    if (named && dataOf(named)["full_name"] !== full_name) wrong.push(`user ${id} has a name that no event set last`);
    const deletion = events.findLast(({ type }) => type === "user.deleted" || type === "user.restored");
    if ((deletion?.type === "user.deleted") !== (deleted_at !== null))
      wrong.push(`user ${id}: its deletion and its events disagree`);
  }
  for (const { id } of user.tombstones) {
    const events = histories.get(id) ?? [];
    wrong.push(...checkVersions(`erased user ${id}`, events, versionOf(events.at(-1) ?? ({} as GatehouseEvent))));
    if (events.at(-1)?.type !== "user.deleted") wrong.push(`erased user ${id}: its erasure was not announced last`);
  }
  return wrong;
}

export function checkSessions({ auth }: Evidence): string[] {
  const started = new Set(sessionsIn(auth.outbox, "auth.session.started"));
  const ended = groupBy(sessionsIn(auth.outbox, "auth.session.revoked"), (id) => id);
  const accounts = new Map(auth.accounts.map((account) => [account.id, account]));
  return auth.sessions.flatMap((session) => {
    const ends = ended.get(session.id)?.length ?? 0;
    return [
      ...(started.has(session.id) ? [] : [`session ${session.id} has no event of its start`]),
      ...(ends === (endsAlone(session) ? 1 : 0)
        ? []
        : [`session ${session.id} (${session.reason}): ${ends} events of its end`]),
      ...(session.ended || mayEnter(accounts.get(session.user_id))
        ? []
        : [`session ${session.id} lives although its user may not enter`]),
    ];
  });
}

/** Of each session at most one token is good, and each rotation has one successor of its own. */
export function checkTokens({ auth }: Evidence): string[] {
  const wrong: string[] = [];
  const ids = new Set(auth.tokens.map(({ id }) => id));
  for (const [session, tokens] of groupBy(auth.tokens, ({ session_id }) => session_id)) {
    if (tokens.filter(({ revoked }) => !revoked).length > 1)
      wrong.push(`session ${session} has two good refresh tokens`);
    const successors = tokens.flatMap(({ replaced_by }) => (replaced_by === null ? [] : [replaced_by]));
    if (new Set(successors).size !== successors.length) wrong.push(`session ${session}: two tokens have one successor`);
    if (successors.some((id) => !ids.has(id))) wrong.push(`session ${session}: a successor is not there`);
    if (successors.length !== tokens.length - 1) wrong.push(`session ${session}: a token is nobody's successor`);
  }
  return wrong;
}

const EACH_BY_ITSELF = new Set(["logout", "removed", "replay"]);
const endsAlone = ({ reason }: SessionRow) => reason !== null && EACH_BY_ITSELF.has(reason);
const mayEnter = (account: AccountRow | undefined) =>
  account !== undefined && account.is_active && account.deleted_at === null;

function sessionsIn(outbox: readonly OutboxRow[], type: string): string[] {
  return outbox.filter(({ event }) => event.type === type).map(({ event }) => String(dataOf(event)["session_id"]));
}

/** The events of each user's changes, oldest first; those of sessions change no version. */
function historiesOf(outbox: readonly OutboxRow[]): Map<string, GatehouseEvent[]> {
  const events = outbox
    .map(({ event }) => event)
    .filter(({ type }) => !type.startsWith("auth.session.") && !type.startsWith("auth.key."));
  const histories = groupBy(events.toSorted(byVersion), ({ subject }) => subject);
  return histories;
}

/** Every version from 1 on has its events, none is beyond the last, and at most one of each type belongs to one change. */
function checkVersions(whose: string, events: readonly GatehouseEvent[], last: number): string[] {
  const present = new Set(events.map(versionOf));
  const wrong: string[] = [];
  for (let version = 1; version <= last; version += 1)
    if (!present.has(version)) wrong.push(`${whose}: no event of version ${version} of ${last}`);
  for (const version of present)
    if (version > last) wrong.push(`${whose}: an event of version ${version}, beyond ${last}`);
  for (const [key, same] of groupBy(events, ({ type, version }) => `${type} of version ${version}`))
    if (same.length > 1) wrong.push(`${whose}: ${same.length} events ${key}`);
  return wrong;
}

function checkAccount(account: AccountRow, events: readonly GatehouseEvent[]): string[] {
  const shown = events.findLast(({ type }) => type.startsWith("auth.account.") && type !== "auth.account.deleted");
  const deletion = events.findLast(({ type }) => type === "auth.account.deleted" || type === "auth.account.restored");
  const wrong: string[] = [];
  for (const field of ["email", "role", "is_active", "is_verified"] as const)
    if (shown && dataOf(shown)[field] !== account[field])
      wrong.push(`account ${account.id}: ${field} is not what its last event says`);
  if ((deletion?.type === "auth.account.deleted") !== (account.deleted_at !== null))
    wrong.push(`account ${account.id}: its deletion and its events disagree`);
  return wrong;
}
