import { type Kysely, sql } from "kysely";
import { type Applied, applyIfNewer, type VersionedChange } from "./apply-if-newer.ts";
import { isInfrastructureError } from "./consumer/infrastructure-error.ts";

type Target<T, K extends keyof T & string> = Pick<VersionedChange<T, K>, "table" | "versionColumn">;
type RowChange<T, K extends keyof T & string> = Omit<VersionedChange<T, K>, keyof Target<T, K>>;

interface Waiting<T, K extends keyof T & string> {
  readonly change: RowChange<T, K>;
  readonly resolve: (applied: Applied) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * applyIfNewer for a consumer with much to do: the changes of handlers that run side by side go in one statement, and each handler gets
 * its own answer when that is committed. While one batch is under way the next gathers: the busier, the larger, and nothing
 * waits for company. Give the consumer as much `concurrency` as a batch shall have.
 *
 * Where a batch is refused, its changes are tried one by one, so that a bad one fails by itself.
 */
export function createBatchedApply<T, K extends keyof T & string>(
  db: Kysely<T>,
  target: Target<T, K>,
): (change: RowChange<T, K>) => Promise<Applied> {
  let waiting: Waiting<T, K>[] = [];
  let busy = false;

  async function work(): Promise<void> {
    busy = true;
    // What other handlers ask for in the same turn of the event loop comes along.
    await new Promise(setImmediate);
    while (waiting.length > 0) {
      const batches = Map.groupBy(waiting, ({ change }) => columnsOf(change).join());
      waiting = [];
      for (const batch of batches.values()) await settle(batch);
    }
    busy = false;
  }

  async function settle(batch: readonly Waiting<T, K>[]): Promise<void> {
    const changes = batch.map(({ change }) => change);
    try {
      const applied = await applyAll(db, target, changes);
      batch.forEach(({ resolve }, index) => resolve(applied[index] as Applied));
    } catch (error) {
      if (isInfrastructureError(error)) return batch.forEach(({ reject }) => reject(error));
      for (const { change, resolve, reject } of batch)
        await applyIfNewer(db, { ...target, ...change }).then(resolve, reject);
    }
  }

  return (change) =>
    new Promise((resolve, reject) => {
      waiting.push({ change, resolve, reject });
      if (!busy) void work();
    });
}

/** What a change sets, in one order. */
function columnsOf<T, K extends keyof T & string>({ set }: RowChange<T, K>): string[] {
  const entries = Object.entries(set).filter(([, value]) => value !== undefined);
  return entries.map(([column]) => column).toSorted();
}

/** @param changes all of the same columns. @returns what became of each, in their order */
async function applyAll<T, K extends keyof T & string>(
  db: Kysely<T>,
  { table, versionColumn }: Target<T, K>,
  changes: readonly RowChange<T, K>[],
): Promise<Applied[]> {
  const newest = new Map<string, RowChange<T, K>>();
  for (const change of changes) {
    const other = newest.get(change.id);
    if (other === undefined || other.version < change.version) newest.set(change.id, change);
  }
  const isNewer = await updateRows(db, { table, versionColumn }, [...newest.values()]);
  return changes.map((change) => {
    const newer = isNewer.get(change.id);
    if (newer === undefined) return "missing";
    return newer && newest.get(change.id) === change ? "applied" : "stale";
  });
}

/** @returns for the id of each row that there is, whether its change was newer */
async function updateRows<T, K extends keyof T & string>(
  db: Kysely<T>,
  target: Target<T, K>,
  changes: readonly RowChange<T, K>[],
): Promise<ReadonlyMap<string, boolean>> {
  const [first] = changes;
  if (first === undefined) return new Map();
  const table = sql.table(target.table);
  const version = sql.ref(target.versionColumn);
  const assignments = [...columnsOf(first), target.versionColumn].map(
    (column) => sql`${sql.ref(column)} = incoming.${sql.ref(column)}`,
  );
  const incoming = JSON.stringify(
    changes.map(({ id, version: number, set }) => ({ ...set, id, [target.versionColumn]: number })),
  );
  // Locked in the order of their ids, so that two replicas do not wait for each other.
  const { rows } = await sql<{ id: string; isNewer: boolean }>`
    with incoming as materialized (select * from jsonb_populate_recordset(null::${table}, ${incoming}::jsonb)),
    known as materialized (select id from ${table} where id in (select id from incoming) order by id for update),
    newer as (
      update ${table} as held set ${sql.join(assignments)} from incoming
      where held.id = incoming.id and exists (select from known where known.id = held.id)
        and (held.${version} is null or held.${version} < incoming.${version})
      returning held.id
    )
    select known.id::text as id, newer.id is not null as "isNewer" from known left join newer using (id)`.execute(db);
  return new Map(rows.map(({ id, isNewer }) => [id, isNewer]));
}
