import type { Kysely, Transaction } from "kysely";

/** What a repository function takes first: the database itself, or the caller's transaction. */
export type Handle<T> = Kysely<T> | Transaction<T>;
