import type { Profile } from "@gatehouse/contracts";
import type { GeneratedAlways } from "kysely";

/** A user: the profile, which this service owns, and a projection of the account, which auth owns. */
export interface UserTable extends Profile {
  id: string;
  email: string;
  role: string;
  is_active: boolean;
  is_verified: boolean;
  /** Version of the account that email, role, is_active and is_verified come from. */
  account_version: number;
  /** Version of the account that deleted_at comes from; apart, because a deletion's event does not carry the rest. */
  deletion_version: number;
  /** This service's own, carried by `user.*` events. */
  version: number;
  /** False while the account is known from later events only: the profile is then unknown and `user.registered` is not written. */
  is_registered: boolean;
  created_at: Date;
  updated_at: Date;
  is_deleted: GeneratedAlways<boolean>;
  deleted_at: Date | null;
}
