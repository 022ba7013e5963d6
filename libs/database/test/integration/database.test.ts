import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createThings, type TestThings } from "../fixtures/database.ts";

let things: TestThings;
beforeAll(async () => {
  things = await createThings();
});
afterAll(() => things.end());

async function valueOf(expression: ReturnType<typeof sql>): Promise<unknown> {
  const { rows } = await sql<{ value: unknown }>`select ${expression} as value`.execute(things.db);
  return rows[0]?.value;
}

describe("column types", () => {
  test("read bigint as a number, and reject an inexact one", async () => {
    expect(await valueOf(sql`count(*)`)).toBe(1);
    expect(await valueOf(sql`${sql.lit(Number.MAX_SAFE_INTEGER)}::bigint`)).toBe(Number.MAX_SAFE_INTEGER);
    await expect(valueOf(sql`9007199254740993::bigint`)).rejects.toThrow(RangeError);
    // The connection still works.
    expect(await valueOf(sql`1`)).toBe(1);
  });

  test("read and write timestamptz as a Date, to the millisecond", async () => {
    const moment = new Date("2026-11-24T12:34:56.789Z");
    expect(await valueOf(sql`${moment}::timestamptz`)).toEqual(moment);
    expect(await valueOf(sql`'2026-11-24 13:34:56.789+01'::timestamptz`)).toEqual(moment);
  });

  test("read jsonb, arrays and bytes as values", async () => {
    expect(await valueOf(sql`'{"a": [1, null]}'::jsonb`)).toEqual({ a: [1, null] });
    expect(await valueOf(sql`${["a", "b"]}::text[]`)).toEqual(["a", "b"]);
    expect(await valueOf(sql`${Buffer.from("x")}::bytea`)).toEqual(Buffer.from("x"));
  });
});

describe("createDatabase with echo", () => {
  test("logs each statement with its duration and without parameters, also failed ones", async () => {
    const lines: { fields: object; message: string }[] = [];
    const logger = { debug: (fields: object, message: string) => void lines.push({ fields, message }), warn() {} };
    const { db } = things.open({ logger, echo: true });
    await db.selectFrom("things").select("id").where("name", "=", "a secret").execute();
    await expect(sql`select nonsense`.execute(db)).rejects.toThrow("nonsense");
    expect(lines).toEqual([
      {
        fields: { sql: 'select "id" from "things" where "name" = $1', duration_ms: expect.any(Number) },
        message: "statement",
      },
      { fields: { sql: "select nonsense", duration_ms: expect.any(Number) }, message: "statement failed" },
    ]);
  });

  test("logs nothing by default", async () => {
    const lines: string[] = [];
    const logger = { debug: (_: object, message: string) => void lines.push(message), warn() {} };
    await sql`select 1`.execute(things.open({ logger }).db);
    expect(lines).toEqual([]);
  });
});

test("createDatabase sets the application name of its connections", async () => {
  const { db } = things.open({ applicationName: "gatehouse-somebody" });
  const { rows } = await sql`select current_setting('application_name') as name`.execute(db);
  expect(rows).toEqual([{ name: "gatehouse-somebody" }]);
});
