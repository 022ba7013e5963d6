import { fileURLToPath } from "node:url";
import type { Column } from "./columns.ts";

/** A difference between the types and the database. Without `column` it concerns the whole table. */
export interface Drift {
  readonly table: string;
  readonly column?: string;
  readonly problem: string;
}

export interface TablesType {
  /** The file that exports the interface of all tables. */
  readonly file: URL;
  readonly type: string;
}

/** A TypeScript program that compiles when types and columns agree. `claims` maps the lines with errors to differences. */
export interface DriftProgram {
  readonly text: string;
  /** By line, from 1. Errors in other lines are not drift. */
  readonly claims: ReadonlyMap<number, (message: string) => Drift[]>;
}

// A missing column is reported once: all other conditions accept it. The brackets prevent distribution over unions.
const PRELUDE = `
type TableOf<T> = [T] extends [keyof Tables] ? Tables[T] : {};
type Row<T> = Selectable<TableOf<T>>;
type New<T> = Insertable<TableOf<T>>;
type If<Condition, Then, Else> = [Condition] extends [true] ? Then : Else;
type Is<One, Other> = [One] extends [Other] ? true : false;
type Has<T, C> = [C] extends [keyof Row<T>] ? true : false;
type Read<T, C> = [C] extends [keyof Row<T>] ? Row<T>[C] : unknown;
type HasTable<T> = Is<T, keyof Tables>;
type HasColumn<T, C> = If<HasTable<T>, Has<T, C>, true>;
type IsOf<V, Expected> = If<Is<unknown, V>, true, If<Is<NonNullable<V>, never>, false, Is<NonNullable<V>, Expected>>>;
type ReadsNull<V> = If<Is<unknown, V>, true, Is<null, V>>;
type ReadsValue<V> = If<Is<unknown, V>, true, If<Is<null, V>, false, true>>;
type MayLeaveOut<T, C> = If<Has<T, C>, [C] extends [keyof New<T>] ? Is<{}, Pick<New<T>, C>> : true, false>;
type MayWrite<T, C> = Is<C, keyof New<T>>;
type MayWriteNull<T, C> = [C] extends [keyof New<T>] ? If<Is<unknown, New<T>[C]>, false, Is<null, New<T>[C]>> : false;
`;

/** Returns the program that compares each column with its property, and each property with the columns. */
export function driftProgram(columns: readonly Column[], tables: TablesType): DriftProgram {
  const kysely = fileURLToPath(import.meta.resolve("kysely"));
  const lines = [
    `import type { Insertable, Selectable } from ${JSON.stringify(kysely)};`,
    `import type { ${tables.type} as Tables } from ${JSON.stringify(fileURLToPath(tables.file))};`,
    ...PRELUDE.split("\n"),
  ];
  const claims = new Map<number, (message: string) => Drift[]>();
  const claim = (code: string, drift: (message: string) => Drift[]) => {
    lines.push(`export const claim${lines.length}: ${code};`);
    claims.set(lines.length, drift);
  };

  const byTable = Map.groupBy(columns, ({ table }) => table);
  const known = [...byTable.keys()].map((name) => JSON.stringify(name)).join(" | ") || '""';
  claim(`never = null! as Exclude<keyof Tables, ${known}>`, (message) =>
    namesIn(message).map((table) => ({ table, problem: "is in the types but not in the database" })),
  );
  for (const [table, ofTable] of byTable) {
    const name = JSON.stringify(table);
    claim(`true = null! as HasTable<${name}>`, () => [{ table, problem: "is in the database but not in the types" }]);
    const others = ofTable.map((column) => JSON.stringify(column.name)).join(" | ");
    claim(`never = null! as Exclude<keyof Row<${name}>, ${others}>`, (message) =>
      namesIn(message).map((column) => ({ table, column, problem: "is in the types but not in the database" })),
    );
    for (const column of ofTable)
      for (const { expected, condition, problem } of claimsAbout(column))
        claim(`${expected} = null! as ${condition}`, () => [{ table, column: column.name, problem }]);
  }
  return { text: `${lines.join("\n")}\n`, claims };
}

interface Claim {
  readonly expected: boolean;
  readonly condition: string;
  readonly problem: string;
}

function claimsAbout(column: Column): Claim[] {
  const at = `${JSON.stringify(column.table)}, ${JSON.stringify(column.name)}`;
  const read = `Read<${at}>`;
  const claims: Claim[] = [
    { expected: true, condition: `HasColumn<${at}>`, problem: "is in the database but not in the types" },
    column.isNullable
      ? { expected: true, condition: `ReadsNull<${read}>`, problem: "may be null in the database but not in the types" }
      : {
          expected: true,
          condition: `ReadsValue<${read}>`,
          problem: "may be null in the types but not in the database",
        },
  ];
  if (column.type !== undefined)
    claims.push({
      expected: true,
      condition: `IsOf<${read}, ${column.type}>`,
      problem: `is ${column.sqlType} in the database, which reads as ${column.type}, but has another type in the types`,
    });
  if (column.insert === "required")
    claims.push({
      expected: false,
      condition: `MayLeaveOut<${at}>`,
      problem: "has no default in the database, but the types allow an insert to omit it",
    });
  if (column.insert === "never")
    claims.push({
      expected: false,
      condition: `MayWrite<${at}>`,
      problem: "is generated by the database, but the types allow an insert to set it",
    });
  if (!column.isNullable && column.insert !== "never")
    claims.push({
      expected: false,
      condition: `MayWriteNull<${at}>`,
      problem: "is not null in the database, but the types allow an insert to set null",
    });
  return claims;
}

/** Returns the names in a message like `Type '"one" | "two"' is not assignable to type 'never'`. */
function namesIn(message: string): string[] {
  return [...message.matchAll(/"([^"]+)"/g)].map(([, name = ""]) => name);
}
