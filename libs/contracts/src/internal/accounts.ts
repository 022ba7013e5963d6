import { z } from "zod";
import { assignableRole, role, safeText, timestamp, uuid } from "../fields.ts";
import { profileInput } from "../profile.ts";

/**
 * The commands that the user service sends to auth (`/internal/accounts`), with INTERNAL_API_TOKEN as bearer.
 * Inputs were checked at the public edge; auth checks them again only as far as its tables need it.
 */

/** On whose behalf a command comes; auth checks it again inside the command's transaction. */
export const OnBehalfOf = z.strictObject({ sub: uuid(), sid: uuid(), token_version: z.int() });
export type OnBehalfOf = z.output<typeof OnBehalfOf>;

/** An account as auth answers it: every fact that auth owns, but not the hash. */
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

/** `POST /internal/accounts`; 201 Account. The same id and email again: the same answer; otherwise 409 EmailAlreadyExists. */
export const CreateAccountCommand = z.strictObject({
  id: uuid(),
  email: safeText().max(254),
  password: safeText().min(1).max(128),
  ...profileInput,
  role: assignableRole(),
  is_active: z.boolean(),
  is_verified: z.boolean(),
  /** null: a registration by nobody who is logged in. */
  on_behalf_of: OnBehalfOf.nullable(),
});
export type CreateAccountCommand = z.output<typeof CreateAccountCommand>;

/** `PATCH /internal/accounts/{id}`; 200 Account. Absent fields stay. Another email than before clears is_verified, unless it is given. */
export const UpdateAccountCommand = z.strictObject({
  email: safeText().max(254).optional(),
  password: safeText().min(1).max(128).optional(),
  role: assignableRole().optional(),
  is_active: z.boolean().optional(),
  is_verified: z.boolean().optional(),
  on_behalf_of: OnBehalfOf,
});
export type UpdateAccountCommand = z.output<typeof UpdateAccountCommand>;

/** `POST /internal/accounts/{id}/delete`; 200 DeletedAccount. `password`: soft deletion by its owner, 401 InvalidCredentials when wrong. */
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

/** `POST /internal/accounts/{id}/restore`; 200 Account. */
export const RestoreAccountCommand = z.strictObject({ on_behalf_of: OnBehalfOf });
export type RestoreAccountCommand = z.output<typeof RestoreAccountCommand>;
