import type { ColumnType, Generated } from "kysely";

export interface AccountTable {
  id: string;
  email: string;
  password_hash: string;
  full_name: string | null;
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
