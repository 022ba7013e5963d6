import { extendMessagingTablesV2, reduceMessagingTablesV2 } from "@gatehouse/messaging";
import type { Kysely } from "kysely";

export async function up(db: Kysely<never>): Promise<void> {
  await extendMessagingTablesV2(db);
}

export async function down(db: Kysely<never>): Promise<void> {
  await reduceMessagingTablesV2(db);
}
