import type { AdminUser, PublicUser, User as UserAnswer } from "@gatehouse/contracts";
import type { User } from "../services/user-writer.service.ts";

export function toUserAnswer(user: User): UserAnswer {
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

export function toPublicAnswer(user: User): PublicUser {
  return { id: user.id, ...user.profile, created_at: user.createdAt.toISOString() };
}

export function toAdminAnswer(user: User): AdminUser {
  return {
    ...toUserAnswer(user),
    is_deleted: user.deletedAt !== null,
    deleted_at: user.deletedAt?.toISOString() ?? null,
  };
}
