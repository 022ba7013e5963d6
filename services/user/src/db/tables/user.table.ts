import type { GeneratedAlways } from "kysely";

/** A user as this service shows it: the profile, which it owns, beside a projection of the account, which auth owns. */
export interface UserTable {
  id: string;
  email: string;
  full_name: string | null;
  role: string;
  is_active: boolean;
  is_verified: boolean;
  /** Version of the account that email, role, is_active and is_verified come from. */
  account_version: number;
  /** Version of the account that deleted_at comes from; apart, because a deletion's event does not carry the rest. */
  deletion_version: number;
  /** This service's own, carried by `user.*` events. */
  version: number;
  /** False while the account is known from later events only: full_name is then unknown and `user.registered` not written. */
  is_registered: boolean;
  created_at: Date;
  updated_at: Date;
  is_deleted: GeneratedAlways<boolean>;
  deleted_at: Date | null;
}
