import type { Handle } from "@gatehouse/database";
import { sql, type Updateable } from "kysely";

/** `missing`: there is no such row, so the caller may insert it. */
export type Applied = "applied" | "stale" | "missing";

export interface VersionedChange<T, K extends keyof T & string> {
  readonly table: K;
  readonly id: string;
  /** The column that holds the version of the last change applied. */
  readonly versionColumn: keyof T[K] & string;
  readonly version: number;
  readonly set: Updateable<T[K]>;
}

/**
 * Writes `set` and the version to the row, unless the row already shows this version or a newer one. So events may come in any order and
 * any number of times. A null version counts as older than all.
 */
export async function applyIfNewer<T, K extends keyof T & string>(
  trx: Handle<T>,
  change: VersionedChange<T, K>,
): Promise<Applied> {
  const table = sql.table(change.table);
  const version = sql.ref(change.versionColumn);
  const columns = Object.entries(change.set).filter(([, value]) => value !== undefined);
  const assignments = [...columns, [change.versionColumn, change.version] as const].map(
    ([column, value]) => sql`${sql.ref(column)} = ${value}`,
  );
  const result = await sql`
    update ${table} set ${sql.join(assignments)}
    where id = ${change.id} and (${version} is null or ${version} < ${change.version})`.execute(trx);
  if (result.numAffectedRows === 1n) return "applied";
  const { rows } = await sql`select 1 from ${table} where id = ${change.id}`.execute(trx);
  return rows.length === 0 ? "missing" : "stale";
}
