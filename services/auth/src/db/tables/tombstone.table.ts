import type { Generated } from "kysely";

/** What is left of an erased account, so that a late command or event resurrects nobody. Nothing personal. */
export interface TombstoneTable {
  id: string;
  version: number;
  deleted_at: Generated<Date>;
}
