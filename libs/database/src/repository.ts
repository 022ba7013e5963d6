import { type Insertable, type Kysely, type Selectable, sql, type Transaction, type Updateable } from "kysely";

/** The first argument of a repository function: the database, or the caller's transaction. */
export type Handle<T> = Kysely<T> | Transaction<T>;

/** The tables of `DB` that have a text or uuid column `id`. */
export type TableWithId<DB> = {
  [K in keyof DB & string]: Selectable<DB[K]> extends { id: string } ? K : never;
}[keyof DB & string];

export interface RepositoryDeps<DB, K extends keyof DB, Entity> {
  readonly table: K;
  readonly toDomain: (row: Selectable<DB[K]>) => Entity;
}

/** The statements that every table with an id needs. Each takes the caller's database or transaction first. */
export interface Repository<DB, K extends keyof DB, Entity> {
  findById(db: Handle<DB>, id: string): Promise<Entity | undefined>;
  insert(db: Handle<DB>, values: Insertable<DB[K]>): Promise<Entity>;
  /** Returns the changed row; undefined when no row has the id. A patch without a value changes nothing. */
  set(db: Handle<DB>, id: string, patch: Updateable<DB[K]>): Promise<Entity | undefined>;
  /** Returns false when no row has the id. */
  delete(db: Handle<DB>, id: string): Promise<boolean>;
  /** Returns how many rows it deleted. */
  deleteMany(db: Handle<DB>, ids: readonly string[]): Promise<number>;
}

// kysely follows a table's name only while it is a literal. Inside, every table is therefore `rows`; the types above keep callers correct.
interface Row {
  id: string;
}
interface AnyTables {
  rows: Row;
}

/** Returns the generic base of a repository. `DB` is the schema's interface, `K` the table's name in it. */
export function createRepository<DB, K extends TableWithId<DB>, Entity>(
  deps: RepositoryDeps<DB, K, Entity>,
): Repository<DB, K, Entity> {
  const table = deps.table as string as "rows";
  const open = (db: Handle<DB>) => db as unknown as Kysely<AnyTables>;
  const domain = (row: unknown) => deps.toDomain(row as Selectable<DB[K]>);

  const repository: Repository<DB, K, Entity> = {
    async findById(db, id) {
      const row = await open(db).selectFrom(table).selectAll().where("id", "=", id).executeTakeFirst();
      return row && domain(row);
    },

    async insert(db, values) {
      const query = open(db)
        .insertInto(table)
        .values(values as unknown as Row);
      return domain(await query.returningAll().executeTakeFirstOrThrow());
    },

    async set(db, id, patch) {
      const isEmpty = Object.values(patch).every((value) => value === undefined);
      if (isEmpty) return repository.findById(db, id);
      const query = open(db)
        .updateTable(table)
        .set(patch as object)
        .where("id", "=", id);
      const row = await query.returningAll().executeTakeFirst();
      return row && domain(row);
    },

    async delete(db, id) {
      const result = await open(db).deleteFrom(table).where("id", "=", id).executeTakeFirst();
      return result.numDeletedRows > 0n;
    },

    async deleteMany(db, ids) {
      if (ids.length === 0) return 0;
      const result = await open(db)
        .deleteFrom(table)
        .where(sql<boolean>`id = any(${ids})`)
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
  return repository;
}
