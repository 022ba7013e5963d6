import type { EventData, EventSubject } from "../events/catalog.ts";
import { profileOf } from "../profile.ts";

/** What a reader of the document wants to know of an event beside its schema. */
export interface EventNote<S extends EventSubject = EventSubject> {
  readonly summary: string;
  /** Nobody's data: ids of the document's own, addresses that are set aside for examples. */
  readonly example: EventData<S>;
}

const user_id = "0199a1c0-7a00-7000-8000-000000000001";
const session_id = "0199a1c0-7a00-7000-8000-000000000002";
const account = { user_id, email: "somebody@example.com", role: "user", is_active: true, is_verified: false } as const;
const profile = profileOf({});

/** The user of the examples, and the admin who changes it. */
export const EXAMPLE_IDS = { user_id, session_id, actor: "0199a1c0-7a00-7000-8000-00000000000a" } as const;

export const EVENT_NOTES: { readonly [S in EventSubject]: EventNote<S> } = {
  "auth.account.created": {
    summary: "Somebody registered, or an admin or an operator made an account.",
    example: { ...account, ...profile },
  },
  "auth.account.updated": {
    summary: "The account changed; `changed` names the fields.",
    example: { ...account, is_verified: true, changed: ["is_verified"] },
  },
  "auth.account.deleted": {
    summary: "The account was deleted: softly (it may be restored) or for good (erase what you keep of the user).",
    example: { user_id, soft: false, token_version: 4 },
  },
  "auth.account.restored": {
    summary: "A softly deleted account is there again.",
    example: { ...account, changed: ["deleted_at"] },
  },
  "auth.password.changed": {
    summary: "A new password was set, by the user or by an admin. Every access token before it is refused.",
    example: { user_id, token_version: 2, by: "self" },
  },
  "auth.sessions.revoked": {
    summary: "All sessions of the user ended, and every access token before this is refused.",
    example: { user_id, token_version: 3, reason: "logout_all" },
  },
  "auth.session.started": {
    summary: "Somebody logged in.",
    example: { user_id, session_id, device_name: null, ip_address: "192.0.2.1" },
  },
  "auth.session.revoked": {
    summary: "One session ended, and its access tokens are refused.",
    example: { user_id, session_id, reason: "logout" },
  },
  "auth.key.retired": {
    summary: "A signing key left the key set; tokens of this `kid` are refused. The event's subject is the kid.",
    example: { kid: "example-kid" },
  },
  "auth.watermark": {
    summary:
      "Each second: all that revokes and was committed before `as_of` has been published. For verifiers of access tokens; everybody else ignores it.",
    example: { as_of: "2026-01-01T00:00:00.000000Z" },
  },
  "user.registered": {
    summary: "A user registered, or was made by an admin, and the profile is there.",
    example: { user_id, email: "somebody@example.com", ...profile },
  },
  "user.profile.updated": {
    summary: "The profile changed; `changed` names the fields.",
    example: { user_id, ...profile, changed: ["full_name"] },
  },
  "user.deleted": {
    summary: "The user was deleted: softly (it may be restored) or for good (erase what you keep of the user).",
    example: { user_id, soft: true },
  },
  "user.restored": {
    summary: "A softly deleted user is there again.",
    example: { user_id },
  },
};
