import pg from "pg";

const INT8: number = pg.types.builtins.INT8;
type Parser = (value: string) => unknown;
const parserOfPg = pg.types.getTypeParser as (oid: number, format?: "text" | "binary") => Parser;

/** Reads int8 as a number and rejects inexact values. Other types as in pg: timestamptz as Date, jsonb parsed, numeric as text. */
export const columnTypes = {
  getTypeParser(oid: number, format?: "text" | "binary"): Parser {
    return oid === INT8 && format !== "binary" ? parseInt8 : parserOfPg(oid, format);
  },
};

function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError("a bigint in the database is too large for an exact number");
  return value;
}
