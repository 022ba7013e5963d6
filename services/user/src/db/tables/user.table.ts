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
  /** Version of the account that deleted_at comes from. It is separate because a deletion's event has no other field. */
  deletion_version: number;
  /** The version of the user, carried by `user.*` events. */
  version: number;
  /** False until the creation arrives. Until then the profile is unknown and `user.registered` is not written. */
  is_registered: boolean;
  created_at: Date;
  updated_at: Date;
  is_deleted: GeneratedAlways<boolean>;
  deleted_at: Date | null;
}
