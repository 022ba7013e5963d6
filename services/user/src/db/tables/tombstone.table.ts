/** What is left of an erased user, so that a late event resurrects nobody. Nothing personal. */
export interface TombstoneTable {
  id: string;
  /** Version of the account at its end. */
  version: number;
  deleted_at: Date;
}
