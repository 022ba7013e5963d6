import type pg from "pg";

/** What one table holds: its rows, and a checksum over all of them whatever their order. */
interface Holding {
  readonly rows: number;
  readonly checksum: string;
}

/** Every table of both schemas, by its name with the schema. */
export type Ledger = ReadonlyMap<string, Holding>;

/** Asks in whatever transaction the client is in. */
export async function drawLedger(client: pg.Client): Promise<Ledger> {
  const ledger = new Map<string, Holding>();
  for (const table of await tablesOf(client)) {
    const { rows } = await client.query<Holding>(
      `select count(*)::int as rows, coalesce(md5(string_agg(hash, '' order by hash)), '') as checksum
       from (select md5(row::text) as hash from ${table} as row) as hashes`,
    );
    ledger.set(table, rows[0] as Holding);
  }
  return ledger;
}

export async function tablesOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('auth', 'users') order by 1`,
  );
  return rows.map(({ name }) => name);
}

/** One line for each table that does not hold the same. */
export function differences(expected: Ledger, found: Ledger): string[] {
  return [...new Set([...expected.keys(), ...found.keys()])].flatMap((table) => {
    const [before, after] = [expected.get(table), found.get(table)];
    if (before?.checksum === after?.checksum && before?.rows === after?.rows) return [];
    return [
      `${table} held ${before?.rows ?? "nothing, not even itself"} rows and holds ${after?.rows ?? "none, being gone"}`,
    ];
  });
}
