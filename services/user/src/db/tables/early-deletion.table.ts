/** A soft deletion that was heard of before its user, which waits here for the row that it belongs to. */
export interface EarlyDeletionTable {
  id: string;
  version: number;
  deleted_at: Date;
}
