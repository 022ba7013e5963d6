import type { Profile } from "@gatehouse/contracts";
import type { ColumnType, Generated } from "kysely";

/** An account, with a copy of the profile at `profile_version`. */
export interface AccountTable extends Profile {
  id: string;
  email: string;
  password_hash: string;
  role: string;
  is_active: boolean;
  is_verified: boolean;
  token_version: Generated<number>;
  version: Generated<number>;
  profile_version: Generated<number>;
  created_at: Date;
  updated_at: Date;
  deleted_at: ColumnType<Date | null, undefined, Date | null>;
}
