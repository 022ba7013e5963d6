import pg from "pg";

const INT8: number = pg.types.builtins.INT8;
type Parser = (value: string) => unknown;
const parserOfPg = pg.types.getTypeParser as (oid: number, format?: "text" | "binary") => Parser;

/** int8 as a number, as long as it is exact. The rest as pg has it: timestamptz as Date, jsonb parsed, numeric as text. */
export const columnTypes = {
  getTypeParser(oid: number, format?: "text" | "binary"): Parser {
    return oid === INT8 && format !== "binary" ? parseInt8 : parserOfPg(oid, format);
  },
};

function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError("a bigint of the database is beyond exact numbers");
  return value;
}
