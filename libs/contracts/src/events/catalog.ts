import { z } from "zod";
import { role } from "../fields.ts";
import { profileEventFields } from "../profile.ts";

/**
 * Every event of the system: subject -> schema of its data (contract, section 6).
 * Types, runtime validation at both ends and the documentation all come from here.
 * Evolving: fields are only added, hence loose objects at the reader's end; a breaking change is a new subject.
 */

const userId = z.string();
const tokenVersion = z.int();
const account = {
  user_id: userId,
  email: z.string(),
  role: role(),
  is_active: z.boolean(),
  is_verified: z.boolean(),
};
const accountChange = z.looseObject({ ...account, changed: z.array(z.string()) });

export const AUTH_EVENT_DATA = {
  "auth.account.created": z.looseObject({ ...account, ...profileEventFields }),
  "auth.account.updated": accountChange,
  "auth.account.deleted": z.looseObject({ user_id: userId, soft: z.boolean(), token_version: tokenVersion }),
  "auth.account.restored": accountChange,
  "auth.password.changed": z.looseObject({
    user_id: userId,
    token_version: tokenVersion,
    by: z.enum(["self", "admin"]),
  }),
  "auth.sessions.revoked": z.looseObject({
    user_id: userId,
    token_version: tokenVersion,
    reason: z.enum(["logout_all", "deactivated", "role_changed"]),
  }),
  "auth.session.started": z.looseObject({
    user_id: userId,
    session_id: z.string(),
    device_name: z.string().nullable(),
    ip_address: z.string().nullable(),
  }),
  "auth.session.revoked": z.looseObject({
    user_id: userId,
    session_id: z.string(),
    reason: z.enum(["logout", "replay", "removed"]),
  }),
  "auth.key.retired": z.looseObject({ kid: z.string() }),
  "auth.watermark": z.looseObject({ as_of: z.string() }),
} as const;

export const USER_EVENT_DATA = {
  "user.registered": z.looseObject({ user_id: userId, email: z.string(), ...profileEventFields }),
  "user.profile.updated": z.looseObject({
    user_id: userId,
    ...profileEventFields,
    changed: z.array(z.string()),
  }),
  "user.deleted": z.looseObject({ user_id: userId, soft: z.boolean() }),
  "user.restored": z.looseObject({ user_id: userId }),
} as const;

export const EVENT_DATA = { ...AUTH_EVENT_DATA, ...USER_EVENT_DATA } as const;

export type EventSubject = keyof typeof EVENT_DATA;
export type EventData<S extends EventSubject> = z.output<(typeof EVENT_DATA)[S]>;

/** The events that end access tokens: their outbox rows leave first, and watermarks vouch for them. */
export const REVOKING_SUBJECTS: ReadonlySet<EventSubject> = new Set<EventSubject>([
  "auth.account.deleted",
  "auth.password.changed",
  "auth.sessions.revoked",
  "auth.session.revoked",
  "auth.key.retired",
]);
