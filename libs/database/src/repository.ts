import { type Insertable, type Kysely, type Selectable, sql, type Updateable } from "kysely";
import type { Handle } from "./database.ts";

/** PostgreSQL numbers the parameters of a statement with 16 bits. */
const MAX_PARAMETERS = 65_535;

/** What every table with an `id` can do. Each function runs in the caller's handle, and so in his transaction. */
export interface Repository<T, Table extends keyof T & string, Domain> {
  findById(db: Handle<T>, id: string): Promise<Domain | undefined>;
  /** Those that exist, in no promised order. */
  findMany(db: Handle<T>, ids: readonly string[]): Promise<Domain[]>;
  insert(db: Handle<T>, values: Insertable<T[Table]>): Promise<Domain>;
  /** undefined when there is no such row. */
  update(db: Handle<T>, id: string, changes: Updateable<T[Table]>): Promise<Domain | undefined>;
  remove(db: Handle<T>, id: string): Promise<boolean>;
  insertMany(db: Handle<T>, rows: readonly Insertable<T[Table]>[]): Promise<Domain[]>;
  updateMany(db: Handle<T>, ids: readonly string[], changes: Updateable<T[Table]>): Promise<Domain[]>;
  /** How many there were. */
  removeMany(db: Handle<T>, ids: readonly string[]): Promise<number>;
}

/**
 * The generic base of repositories. A repository adds its own queries beside it and exports what its service needs.
 * @param options.table a table whose primary key is `id`
 * @param options.toDomain makes of a row what services see
 */
export function createRepository<T, Table extends keyof T & string, Domain>(options: {
  readonly table: Table;
  readonly toDomain: (row: Selectable<T[Table]>) => Domain;
}): Repository<T, Table, Domain> {
  // Kysely cannot see that a generic table has an `id`, so inside here it goes by another type.
  const on = (db: Handle<T>) => db as unknown as Kysely<{ rows: { id: string } }>;
  const table = options.table as "rows";
  const toDomain = options.toDomain as (row: unknown) => Domain;

  async function insertMany(db: Handle<T>, rows: readonly Insertable<T[Table]>[]): Promise<Domain[]> {
    const inserted: Domain[] = [];
    for (const chunk of chunksOf(rows)) {
      const query = on(db)
        .insertInto(table)
        .values(chunk as never);
      inserted.push(...(await query.returningAll().execute()).map(toDomain));
    }
    return inserted;
  }

  async function updateMany(db: Handle<T>, ids: readonly string[], changes: Updateable<T[Table]>): Promise<Domain[]> {
    if (ids.length === 0) return [];
    const query = on(db)
      .updateTable(table)
      .set(changes as never)
      .where("id", "=", anyOf(ids));
    return (await query.returningAll().execute()).map(toDomain);
  }

  async function removeMany(db: Handle<T>, ids: readonly string[]): Promise<number> {
    if (ids.length === 0) return 0;
    const result = await on(db).deleteFrom(table).where("id", "=", anyOf(ids)).executeTakeFirst();
    return Number(result.numDeletedRows);
  }

  async function findMany(db: Handle<T>, ids: readonly string[]): Promise<Domain[]> {
    if (ids.length === 0) return [];
    return (await on(db).selectFrom(table).selectAll().where("id", "=", anyOf(ids)).execute()).map(toDomain);
  }

  return {
    findMany,
    insertMany,
    updateMany,
    removeMany,
    findById: async (db, id) => (await findMany(db, [id]))[0],
    async insert(db, values) {
      const query = on(db)
        .insertInto(table)
        .values(values as never);
      return toDomain(await query.returningAll().executeTakeFirstOrThrow());
    },
    update: async (db, id, changes) => (await updateMany(db, [id], changes))[0],
    remove: async (db, id) => (await removeMany(db, [id])) > 0,
  };
}

/** One array parameter, so that the statement stays the same for any number of ids. */
function anyOf(ids: readonly string[]) {
  return sql<string>`any(${ids})`;
}

function chunksOf<R extends object>(rows: readonly R[]): R[][] {
  const columns = Math.max(1, ...rows.map((row) => Object.keys(row).length));
  const size = Math.floor(MAX_PARAMETERS / columns);
  const chunks: R[][] = [];
  for (let start = 0; start < rows.length; start += size) chunks.push(rows.slice(start, start + size));
  return chunks;
}
