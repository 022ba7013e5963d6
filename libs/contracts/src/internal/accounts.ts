import { z } from "zod";
import { assignableRole, role, safeText, timestamp, uuid } from "../fields.ts";
import { profileInput } from "../profile.ts";

/*
 * The commands that the user service sends to auth (`/internal/accounts`) with INTERNAL_API_TOKEN as bearer.
 * The user service has validated the values; auth validates only what its tables need.
 */

/** The user on whose behalf a command is sent. Auth authorizes it again inside the command's transaction. */
export const OnBehalfOf = z.strictObject({ sub: uuid(), sid: uuid(), token_version: z.int() });
export type OnBehalfOf = z.output<typeof OnBehalfOf>;

/** An account in auth's responses: every field that auth owns except the password hash. */
export const Account = z.object({
  id: z.string(),
  email: z.string(),
  role: role(),
  is_active: z.boolean(),
  is_verified: z.boolean(),
  token_version: z.int(),
  version: z.int(),
  created_at: timestamp(),
  updated_at: timestamp(),
  deleted_at: timestamp().nullable(),
});
export type Account = z.output<typeof Account>;

/** `POST /internal/accounts`: 201 Account. A repeated id and email returns the same account; else 409 EmailAlreadyExists. */
export const CreateAccountCommand = z.strictObject({
  id: uuid(),
  email: safeText().max(254),
  password: safeText().min(1).max(128),
  ...profileInput,
  role: assignableRole(),
  is_active: z.boolean(),
  is_verified: z.boolean(),
  /** null for a registration, which has no user. */
  on_behalf_of: OnBehalfOf.nullable(),
});
export type CreateAccountCommand = z.output<typeof CreateAccountCommand>;

/** `PATCH /internal/accounts/{id}`: 200 Account. Absent fields stay unchanged. A new email clears is_verified unless it is set. */
export const UpdateAccountCommand = z.strictObject({
  email: safeText().max(254).optional(),
  password: safeText().min(1).max(128).optional(),
  role: assignableRole().optional(),
  is_active: z.boolean().optional(),
  is_verified: z.boolean().optional(),
  on_behalf_of: OnBehalfOf,
});
export type UpdateAccountCommand = z.output<typeof UpdateAccountCommand>;

/** `POST /internal/accounts/{id}/delete`: 200 DeletedAccount. With `password` its owner soft-deletes it; a wrong one is 401. */
export const DeleteAccountCommand = z.strictObject({
  soft: z.boolean(),
  password: safeText().optional(),
  on_behalf_of: OnBehalfOf,
});
export type DeleteAccountCommand = z.output<typeof DeleteAccountCommand>;

export const DeletedAccount = z.object({
  id: z.string(),
  version: z.int(),
  /** null after a hard deletion. */
  deleted_at: timestamp().nullable(),
});
export type DeletedAccount = z.output<typeof DeletedAccount>;

/** `POST /internal/accounts/{id}/restore`: 200 Account. */
export const RestoreAccountCommand = z.strictObject({ on_behalf_of: OnBehalfOf });
export type RestoreAccountCommand = z.output<typeof RestoreAccountCommand>;
