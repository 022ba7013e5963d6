import { dropInboxV3, restoreInboxV3 } from "@gatehouse/messaging";
import type { Kysely } from "kysely";

export async function up(db: Kysely<never>): Promise<void> {
  await dropInboxV3(db);
}

export async function down(db: Kysely<never>): Promise<void> {
  await restoreInboxV3(db);
}
