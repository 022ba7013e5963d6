import { answers } from "@gatehouse/local-stack";
import { createEmptyDatabase, createTestBus, createTestDatabase, createTestRedis } from "@gatehouse/test-kit";
import pg from "pg";
import { describe, expect, test } from "vitest";

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as unknown[];
  } finally {
    await client.end();
  }
}

describe("what happens when a test file asks for servers of its own", () => {
  test("what happens when it asks for an empty database: it is there, and gone after drop", async () => {
    const database = await createEmptyDatabase();
    expect(await query(database.ownerUrl, "select 1 as one")).toEqual([{ one: 1 }]);
    await database.drop();
    await expect(query(database.ownerUrl, "select 1")).rejects.toMatchObject({ code: "3D000" });
  });

  test("what happens when it asks for a migrated database: each role sees its own schema", async () => {
    const database = await createTestDatabase();
    expect(await query(database.authUrl, "select count(*)::int as n from accounts")).toEqual([{ n: 0 }]);
    expect(await query(database.userUrl, "select count(*)::int as n from users")).toEqual([{ n: 0 }]);
    await expect(query(database.authUrl, "select * from users.users")).rejects.toMatchObject({ code: "42501" });
    await expect(query(database.userUrl, "select * from auth.accounts")).rejects.toMatchObject({ code: "42501" });
    await database.drop();
  });

  test("what happens when a bus is stopped and started: it is back at the same URL", async () => {
    const bus = await createTestBus();
    expect(await answers(bus.port, "", "INFO ")).toBe(true);
    await bus.stop();
    expect(await answers(bus.port, "", "INFO ")).toBe(false);
    await bus.start();
    expect(await answers(bus.port, "", "INFO ")).toBe(true);
    await bus.stop();
  });

  test("what happens when it asks for Redis: it answers", async () => {
    const redis = await createTestRedis();
    expect(await answers(redis.port, "PING\r\n", "+PONG")).toBe(true);
    await redis.stop();
  });
});
