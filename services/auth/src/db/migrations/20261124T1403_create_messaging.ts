import { createMessagingTablesV1, dropMessagingTablesV1 } from "@gatehouse/messaging";
import type { Kysely } from "kysely";

export async function up(db: Kysely<never>): Promise<void> {
  await createMessagingTablesV1(db);
}

export async function down(db: Kysely<never>): Promise<void> {
  await dropMessagingTablesV1(db);
}
