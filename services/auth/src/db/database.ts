import type { Handle } from "@gatehouse/database";
import type { MessagingTables, Transact } from "@gatehouse/messaging";
import type { Transaction } from "kysely";
import type { AccountTable } from "./tables/account.table.ts";
import type { RefreshTokenTable } from "./tables/refresh-token.table.ts";
import type { SessionTable } from "./tables/session.table.ts";
import type { SigningKeyTable } from "./tables/signing-key.table.ts";
import type { TombstoneTable } from "./tables/tombstone.table.ts";

/** The schema `auth`. */
export interface AuthTables extends MessagingTables {
  accounts: AccountTable;
  sessions: SessionTable;
  refresh_tokens: RefreshTokenTable;
  signing_keys: SigningKeyTable;
  tombstones: TombstoneTable;
}

export type AuthHandle = Handle<AuthTables>;
export type AuthTransaction = Transaction<AuthTables>;
export type AuthTransact = Transact<AuthTables>;

/** The folder of the schema's migrations. */
export const MIGRATIONS_FOLDER = new URL("./migrations/", import.meta.url);
