import type { AuthHandle, AuthTransaction } from "../../db/database.ts";

export async function insertTombstones(
  trx: AuthTransaction,
  erased: readonly { readonly id: string; readonly version: number }[],
): Promise<void> {
  const rows = erased.map(({ id, version }) => ({ id, version }));
  await trx
    .insertInto("tombstones")
    .values(rows)
    .onConflict((conflict) => conflict.column("id").doNothing())
    .execute();
}

export async function tombstoneExists(db: AuthHandle, id: string): Promise<boolean> {
  const row = await db.selectFrom("tombstones").select("id").where("id", "=", id).executeTakeFirst();
  return row !== undefined;
}

export async function deleteTombstonesBefore(db: AuthHandle, before: Date, limit: number): Promise<number> {
  const result = await db
    .deleteFrom("tombstones")
    .where("id", "in", (eb) => eb.selectFrom("tombstones").select("id").where("deleted_at", "<", before).limit(limit))
    .executeTakeFirst();
  return Number(result.numDeletedRows);
}
