import { z } from "zod";
import { role } from "../fields.ts";
import { profileEventFields, profileOf } from "../profile.ts";
import { declareEvent, EXAMPLE_IDS } from "./declare-event.ts";

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

const user_id = EXAMPLE_IDS.user;
const session_id = EXAMPLE_IDS.session;
const accountExample = {
  user_id,
  email: "somebody@example.com",
  role: "user",
  is_active: true,
  is_verified: false,
} as const;

/** The events that the auth service publishes, by subject. */
export const AUTH_EVENTS = {
  "auth.account.created": declareEvent({
    summary: "A user registered, or an admin or an operator created an account.",
    data: z.looseObject({ ...account, ...profileEventFields }),
    example: { ...accountExample, ...profileOf({}) },
  }),
  "auth.account.updated": declareEvent({
    summary: "The account changed; `changed` names the fields.",
    data: accountChange,
    example: { ...accountExample, is_verified: true, changed: ["is_verified"] },
  }),
  "auth.account.deleted": declareEvent({
    summary:
      "The account was deleted: softly (it may be restored) or permanently (erase everything you store about the user).",
    data: z.looseObject({ user_id: userId, soft: z.boolean(), token_version: tokenVersion }),
    example: { user_id, soft: false, token_version: 4 },
    endsTokens: true,
  }),
  "auth.account.restored": declareEvent({
    summary: "A soft-deleted account was restored.",
    data: accountChange,
    example: { ...accountExample, changed: ["deleted_at"] },
  }),
  "auth.password.changed": declareEvent({
    summary: "The user or an admin set a new password. All earlier access tokens are revoked.",
    data: z.looseObject({ user_id: userId, token_version: tokenVersion, by: z.enum(["self", "admin"]) }),
    example: { user_id, token_version: 2, by: "self" },
    endsTokens: true,
  }),
  "auth.sessions.revoked": declareEvent({
    summary: "All sessions of the user ended. All earlier access tokens are revoked.",
    data: z.looseObject({
      user_id: userId,
      token_version: tokenVersion,
      reason: z.enum(["logout_all", "deactivated", "role_changed"]),
    }),
    example: { user_id, token_version: 3, reason: "logout_all" },
    endsTokens: true,
  }),
  "auth.session.started": declareEvent({
    summary: "A user logged in.",
    data: z.looseObject({
      user_id: userId,
      session_id: z.string(),
      device_name: z.string().nullable(),
      ip_address: z.string().nullable(),
    }),
    example: { user_id, session_id, device_name: null, ip_address: "192.0.2.1" },
  }),
  "auth.session.revoked": declareEvent({
    summary: "One session ended. Its access tokens are revoked.",
    data: z.looseObject({
      user_id: userId,
      session_id: z.string(),
      reason: z.enum(["logout", "replay", "removed"]),
    }),
    example: { user_id, session_id, reason: "logout" },
    endsTokens: true,
  }),
  "auth.key.retired": declareEvent({
    summary: "A signing key left the key set. Tokens with this `kid` are rejected. The event's subject is the kid.",
    data: z.looseObject({ kid: z.string() }),
    example: { kid: "example-kid" },
    endsTokens: true,
  }),
  "auth.watermark": declareEvent({
    summary:
      "Published every second: every revocation committed before `as_of` has been published. Only verifiers of access tokens need it.",
    data: z.looseObject({ as_of: z.string() }),
    example: { as_of: "2026-01-01T00:00:00.000000Z" },
  }),
};
