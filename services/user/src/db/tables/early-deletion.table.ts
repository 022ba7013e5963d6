/** A soft deletion whose event arrived before its user. It is applied when the user arrives. */
export interface EarlyDeletionTable {
  id: string;
  version: number;
  deleted_at: Date;
}
