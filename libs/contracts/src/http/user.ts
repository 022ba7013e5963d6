import { z } from "zod";
import {
  adminPasswordInput,
  assignableRole,
  emailInput,
  passwordInput,
  passwordToVerify,
  queryNumber,
  role,
  safeText,
  timestamp,
  uuid,
} from "../fields.ts";
import { profileFields, profileInput, publicProfileFields } from "../profile.ts";

const userFields = {
  id: z.string(),
  email: z.string(),
  ...profileFields,
  is_active: z.boolean(),
  is_verified: z.boolean(),
  role: role(),
  created_at: timestamp(),
  updated_at: timestamp(),
};

export const User = z.object(userFields).meta({ id: "User" });
export type User = z.output<typeof User>;

/** The part of a user that every logged-in user may see. */
export const PublicUser = z
  .object({ id: userFields.id, ...publicProfileFields, created_at: userFields.created_at })
  .meta({ id: "PublicUser" });
export type PublicUser = z.output<typeof PublicUser>;

export const AdminUser = z
  .object({ ...userFields, is_deleted: z.boolean(), deleted_at: timestamp().nullable() })
  .meta({ id: "AdminUser" });
export type AdminUser = z.output<typeof AdminUser>;

export const RegisterBody = z.strictObject({
  email: emailInput(),
  password: passwordInput(),
  ...profileInput,
});
export type RegisterBody = z.output<typeof RegisterBody>;

export const UpdateMeBody = z.strictObject({
  ...profileInput,
  email: emailInput().optional(),
});
export type UpdateMeBody = z.output<typeof UpdateMeBody>;

export const DeleteMeBody = z.strictObject({ password: passwordToVerify() });

export const AdminCreateUserBody = z.strictObject({
  email: emailInput(),
  password: adminPasswordInput(),
  ...profileInput,
  role: assignableRole().optional(),
  is_active: z.boolean().optional(),
  is_verified: z.boolean().optional(),
});
export type AdminCreateUserBody = z.output<typeof AdminCreateUserBody>;

export const AdminUpdateUserBody = z.strictObject({
  email: emailInput().optional(),
  password: adminPasswordInput().optional(),
  ...profileInput,
  role: assignableRole().optional(),
  is_active: z.boolean().optional(),
  is_verified: z.boolean().optional(),
});
export type AdminUpdateUserBody = z.output<typeof AdminUpdateUserBody>;

export const UserIdParams = z.object({ id: uuid() });

const queryFlag = () =>
  z.enum(["true", "false"], { error: "must be true or false" }).transform((value) => value === "true");

const SKIP_MAX = 1_000_000;
const SEARCH_MAX = 254;

export const AdminListUsersQuery = z
  .strictObject({
    skip: queryNumber(0, SKIP_MAX).optional(),
    limit: queryNumber(1, 100).default(100),
    cursor: uuid().optional(),
    q: safeText(SEARCH_MAX)
      .transform((value) => value.trim())
      .pipe(z.string().max(SEARCH_MAX, `must have at most ${SEARCH_MAX} characters`))
      .optional(),
    role: role().optional(),
    is_active: queryFlag().optional(),
    is_deleted: queryFlag().default(false),
  })
  .refine((query) => query.skip === undefined || query.cursor === undefined, {
    error: "must not be combined with skip",
    path: ["cursor"],
  });
export type AdminListUsersQuery = z.output<typeof AdminListUsersQuery>;

export const AdminUserList = z
  .object({
    items: z.array(AdminUser),
    /** Exact up to 10,000, then the planner's estimate; `total_exact` tells which. */
    total: z.int(),
    total_exact: z.boolean(),
    next_cursor: z.string().nullable(),
  })
  .meta({ id: "AdminUserList" });
export type AdminUserList = z.output<typeof AdminUserList>;
