import pg from "pg";

const { INT8 } = pg.types.builtins;

/** int8 as a number, as long as it is exact. The rest as pg has it: timestamptz as Date, jsonb parsed, numeric as text. */
export const columnTypes = {
  getTypeParser(oid: number, format?: "text" | "binary"): (value: string) => unknown {
    return oid === INT8 && format !== "binary" ? parseInt8 : pg.types.getTypeParser(oid, format as "text");
  },
};

function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError("a bigint of the database is beyond exact numbers");
  return value;
}
