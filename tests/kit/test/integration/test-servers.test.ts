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

describe("a test file's own servers", () => {
  test("an empty database exists until drop", async () => {
    const database = await createEmptyDatabase();
    expect(await query(database.ownerUrl, "select 1 as one")).toEqual([{ one: 1 }]);
    await database.drop();
    await expect(query(database.ownerUrl, "select 1")).rejects.toMatchObject({ code: "3D000" });
  });

  test("a migrated database shows each role its own schema", async () => {
    const database = await createTestDatabase();
    expect(await query(database.authUrl, "select count(*)::int as n from accounts")).toEqual([{ n: 0 }]);
    expect(await query(database.userUrl, "select count(*)::int as n from users")).toEqual([{ n: 0 }]);
    await expect(query(database.authUrl, "select * from users.users")).rejects.toMatchObject({ code: "42501" });
    await expect(query(database.userUrl, "select * from auth.accounts")).rejects.toMatchObject({ code: "42501" });
    await database.drop();
  });

  test("a restarted bus has the same URL", async () => {
    const bus = await createTestBus();
    expect(await answers(bus.port, "", "INFO ")).toBe(true);
    await bus.stop();
    expect(await answers(bus.port, "", "INFO ")).toBe(false);
    await bus.start();
    expect(await answers(bus.port, "", "INFO ")).toBe(true);
    await bus.stop();
  });

  test("Redis replies", async () => {
    const redis = await createTestRedis();
    expect(await answers(redis.port, "PING\r\n", "+PONG")).toBe(true);
    await redis.stop();
  });
});
