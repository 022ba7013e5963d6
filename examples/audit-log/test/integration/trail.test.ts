import { createTestDatabase, type TestDatabase } from "@gatehouse/test-kit";
import { readFileSync } from "node:fs";
import { newId } from "@gatehouse/contracts";
import { createDatabase, type Database } from "@gatehouse/database";
import { createEvent } from "@gatehouse/messaging";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AuditTables } from "../../src/db/database.ts";
import { createTrail, type Trail } from "../../src/services/trail.service.ts";

let testDatabase: TestDatabase;
let database: Database<AuditTables>;
let trail: Trail;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  const service = { folder: "examples/audit-log", schema: "audit", role: "gatehouse_audit" };
  database = createDatabase({ url: await testDatabase.addService(service), applicationName: "test" });
  trail = createTrail({ db: database.db });
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

const restored = (user_id: string, time = new Date()) =>
  createEvent({ source: "user", type: "user.restored", subject: user_id, time, data: { user_id } });

describe("trail", () => {
  it("has one entry of an event that is recorded repeatedly and concurrently", async () => {
    const event = restored(newId());
    await Promise.all([trail.record(event), trail.record(event), trail.record(event)]);
    await trail.record({ ...event, time: new Date(0).toISOString() });
    const { items } = await trail.list({ userId: event.data.user_id, limit: 10 });
    expect(items).toMatchObject([{ id: event.id, occurredAt: new Date(event.time) }]);
  });

  it("is listed in pages, newest first, for one user or all users", async () => {
    const user = newId();
    const events = Array.from({ length: 5 }, () => restored(user));
    // In reverse order.
    for (const event of events.toReversed()) await trail.record(event);
    await trail.record(restored(newId()));

    const seen: string[] = [];
    const sizes: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await trail.list({ userId: user, cursor, limit: 2 });
      seen.push(...page.items.map(({ id }) => id));
      sizes.push(page.items.length);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(sizes).toEqual([2, 2, 1]);
    expect(seen).toEqual(events.map(({ id }) => id).toReversed());
    const everybody = await trail.list({ limit: 100 });
    expect(new Set(everybody.items.map(({ userId }) => userId)).size).toBeGreaterThan(1);
  });

  it.each(["update entries set reason = null", "delete from entries", "truncate entries"])(
    "denies the service's own role: %s",
    async (statement) => {
      // 42501: insufficient_privilege
      await expect(sql.raw(statement).execute(database.db)).rejects.toMatchObject({ code: "42501" });
    },
  );

  it("loses old entries by the README's statements, without more rights for the role", async () => {
    const user = newId();
    const old = restored(user, new Date(Date.now() - 401 * 86_400_000));
    const young = restored(user, new Date(Date.now() - 399 * 86_400_000));
    for (const event of [old, young]) await trail.record(event);
    const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
    const retention = /^```sql\n(.*?)^```$/ms.exec(readme)?.[1] ?? "";

    const owner = createDatabase<AuditTables>({ url: testDatabase.ownerUrl, applicationName: "test-owner" });
    try {
      await owner.db.connection().execute(async (connection) => {
        for (const statement of retention.split(";").filter((part) => part.trim() !== ""))
          await sql.raw(statement).execute(connection);
      });
    } finally {
      await owner.close();
    }
    const { items } = await trail.list({ userId: user, limit: 10 });
    expect(items.map(({ id }) => id)).toEqual([young.id]);
    await expect(database.db.deleteFrom("entries").execute()).rejects.toMatchObject({ code: "42501" });
  });
});
