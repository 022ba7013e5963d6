import { type Insertable, type Kysely, type Selectable, sql, type Updateable } from "kysely";
import type { Handle } from "./handle.ts";

/** PostgreSQL numbers a statement's parameters with 16 bits. */
const MAX_PARAMETERS = 65_535;

/** The tables of `DB` that have a text or uuid column `id`. */
export type TableWithId<DB> = {
  [K in keyof DB & string]: Selectable<DB[K]> extends { id: string } ? K : never;
}[keyof DB & string];

export interface RepositoryOptions<DB, K extends keyof DB, Entity> {
  readonly table: K;
  readonly toDomain: (row: Selectable<DB[K]>) => Entity;
}

/** The statements that every table by id needs. Each takes the caller's handle first, so it is part of the caller's transaction. */
export interface Repository<DB, K extends keyof DB, Entity> {
  findById(db: Handle<DB>, id: string): Promise<Entity | undefined>;
  /** In the order of `ids`; those that are not there are left out. */
  findMany(db: Handle<DB>, ids: readonly string[]): Promise<Entity[]>;
  insert(db: Handle<DB>, values: Insertable<DB[K]>): Promise<Entity>;
  /** Any number of rows, all or none, in as many statements as PostgreSQL's limit of parameters asks for. */
  insertMany(db: Handle<DB>, values: readonly Insertable<DB[K]>[]): Promise<Entity[]>;
  /** Undefined when there is no such row. A patch without a value changes nothing. */
  update(db: Handle<DB>, id: string, patch: Updateable<DB[K]>): Promise<Entity | undefined>;
  /** The same patch for all; says how many rows there were. */
  updateMany(db: Handle<DB>, ids: readonly string[], patch: Updateable<DB[K]>): Promise<number>;
  /** False when there was no such row. */
  remove(db: Handle<DB>, id: string): Promise<boolean>;
  /** Says how many rows there were. */
  removeMany(db: Handle<DB>, ids: readonly string[]): Promise<number>;
}

// Inside, the table is any with an id: kysely's types follow a table's name only while it is a literal. The types above keep callers honest.
interface Row {
  id: string;
}
interface AnyTables {
  rows: Row;
}

/** The generic base of repositories. `DB` is the schema's interface, `K` the table's name in it. */
export function createRepository<DB, K extends TableWithId<DB>, Entity>(
  options: RepositoryOptions<DB, K, Entity>,
): Repository<DB, K, Entity> {
  const table = options.table as string as "rows";
  const open = (db: Handle<DB>) => db as unknown as Kysely<AnyTables>;
  const domain = (row: unknown) => options.toDomain(row as Selectable<DB[K]>);
  const among = (ids: readonly string[]) => sql<boolean>`id = any(${ids})`;

  const repository: Repository<DB, K, Entity> = {
    async findById(db, id) {
      const row = await open(db).selectFrom(table).selectAll().where("id", "=", id).executeTakeFirst();
      return row && domain(row);
    },

    async findMany(db, ids) {
      if (ids.length === 0) return [];
      const rows = await open(db).selectFrom(table).selectAll().where(among(ids)).execute();
      const byId = new Map(rows.map((row) => [row.id, row]));
      return ids.flatMap((id) => byId.get(id.toLowerCase()) ?? byId.get(id) ?? []).map(domain);
    },

    async insert(db, values) {
      const query = open(db)
        .insertInto(table)
        .values(values as unknown as Row);
      return domain(await query.returningAll().executeTakeFirstOrThrow());
    },

    async insertMany(db, values) {
      const batches = batchesOf(values as readonly unknown[] as readonly Row[]);
      const insertAll = async (trx: Kysely<AnyTables>) => {
        const entities: Entity[] = [];
        for (const batch of batches) {
          const rows = await trx.insertInto(table).values(batch).returningAll().execute();
          for (const row of rows) entities.push(domain(row));
        }
        return entities;
      };
      const handle = open(db);
      if (batches.length <= 1 || handle.isTransaction) return insertAll(handle);
      return handle.transaction().execute(insertAll);
    },

    async update(db, id, patch) {
      if (isEmpty(patch)) return repository.findById(db, id);
      const query = open(db)
        .updateTable(table)
        .set(patch as object)
        .where("id", "=", id);
      const row = await query.returningAll().executeTakeFirst();
      return row && domain(row);
    },

    async updateMany(db, ids, patch) {
      if (ids.length === 0) return 0;
      if (isEmpty(patch)) return (await repository.findMany(db, ids)).length;
      const result = await open(db)
        .updateTable(table)
        .set(patch as object)
        .where(among(ids))
        .executeTakeFirst();
      return Number(result.numUpdatedRows);
    },

    async remove(db, id) {
      const result = await open(db).deleteFrom(table).where("id", "=", id).executeTakeFirst();
      return result.numDeletedRows > 0n;
    },

    async removeMany(db, ids) {
      if (ids.length === 0) return 0;
      const result = await open(db).deleteFrom(table).where(among(ids)).executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
  return repository;
}

function isEmpty(patch: object): boolean {
  return Object.values(patch).every((value) => value === undefined);
}

/** Rows by the statement. A statement's rows share their columns, so the union of all counts. */
function batchesOf(rows: readonly Row[]): Row[][] {
  const columns = new Set(rows.flatMap((row) => Object.keys(row)));
  const size = Math.max(1, Math.floor(MAX_PARAMETERS / Math.max(1, columns.size)));
  return Array.from({ length: Math.ceil(rows.length / size) }, (_, index) =>
    rows.slice(index * size, (index + 1) * size),
  );
}
