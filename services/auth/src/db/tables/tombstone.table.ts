import type { Generated } from "kysely";

/** The id of an erased account, so that a late command or event cannot recreate it. Holds no personal data. */
export interface TombstoneTable {
  id: string;
  version: number;
  deleted_at: Generated<Date>;
}
