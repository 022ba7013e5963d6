import type { Handle } from "@gatehouse/database";
import type { MessagingTables, Transact } from "@gatehouse/messaging";
import type { Transaction } from "kysely";
import type { EarlyDeletionTable } from "./tables/early-deletion.table.ts";
import type { TombstoneTable } from "./tables/tombstone.table.ts";
import type { UserTable } from "./tables/user.table.ts";

/** The schema `users`. */
export interface UserTables extends MessagingTables {
  users: UserTable;
  tombstones: TombstoneTable;
  early_deletions: EarlyDeletionTable;
}

export type UserHandle = Handle<UserTables>;
export type UserTransaction = Transaction<UserTables>;
export type UserTransact = Transact<UserTables>;

/** The folder of the migrations of this schema. */
export const MIGRATIONS_FOLDER = new URL("./migrations/", import.meta.url);
