/** Marks an erased user, so that a late event does not create it again. Holds no personal data. */
export interface TombstoneTable {
  id: string;
  /** The last version of the account. */
  version: number;
  deleted_at: Date;
}
