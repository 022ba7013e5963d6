import { type AdminUser, publicProfileOf, type PublicUser, type User as UserBody } from "@gatehouse/contracts";
import type { User } from "../services/user-writer.service.ts";

export function toUser(user: User): UserBody {
  return {
    id: user.id,
    email: user.email,
    ...user.profile,
    is_active: user.isActive,
    is_verified: user.isVerified,
    role: user.role,
    created_at: user.createdAt.toISOString(),
    updated_at: user.updatedAt.toISOString(),
  };
}

export function toPublicUser(user: User): PublicUser {
  return { id: user.id, ...publicProfileOf(user.profile), created_at: user.createdAt.toISOString() };
}

export function toAdminUser(user: User): AdminUser {
  return {
    ...toUser(user),
    is_deleted: user.deletedAt !== null,
    deleted_at: user.deletedAt?.toISOString() ?? null,
  };
}
