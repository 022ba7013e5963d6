import { createEvent } from "@gatehouse/messaging";
import { newId } from "@gatehouse/contracts";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { OutboxInsert } from "../../src/tables/messaging.table.ts";
import { outboxRow } from "../../src/outbox/outbox-row.ts";
import { type Bench, createBench, idOf } from "../fixtures/messaging.ts";

let bench: Bench;
beforeAll(async () => {
  bench = await createBench();
});
afterEach(() => bench.reset());
afterAll(() => bench.close());

const revocation = () =>
  createEvent({ source: "auth", type: "auth.key.retired", subject: "k1", data: { kid: newId() } });
const ordinary = () =>
  createEvent({
    source: "auth",
    type: "auth.session.started",
    subject: newId(),
    version: 1,
    data: { user_id: newId(), session_id: newId(), device_name: null, ip_address: null },
  });

async function commit(rows: readonly OutboxInsert[]): Promise<void> {
  await bench.db.insertInto("outbox").values(rows).execute();
}
const storedIds = async () => (await bench.stored()).map(idOf).toSorted();
const publishedRows = async () => {
  const rows = await bench.db.selectFrom("outbox").select("id").where("published_at", "is not", null).execute();
  return rows.length;
};

describe("a revocation that this process committed", () => {
  test("is published from memory, with its whole commit, while the rows are locked", async () => {
    const relay = bench.relay();
    await expect.poll(() => relay.status().connected).toBe(true);
    const rows = [revocation(), ordinary()].map(outboxRow);
    await commit(rows);
    // A claim skips locked rows.
    await bench.db.transaction().execute(async (trx) => {
      await sql`select from outbox for update`.execute(trx);
      relay.wake(rows);
      await expect.poll(storedIds).toEqual(rows.map(({ id }) => id).toSorted());
    });
    await expect.poll(publishedRows).toBe(2);
  });

  test("is stored once when another relay claims it at the same time", async () => {
    const [relay, other] = [bench.relay(), bench.relay()];
    for (const each of [relay, other]) await expect.poll(() => each.status().connected).toBe(true);
    const commits = Array.from({ length: 100 }, () => [outboxRow(revocation())]);
    for (const rows of commits) {
      await commit(rows);
      relay.wake(rows);
      other.wake();
    }
    await expect.poll(publishedRows).toBe(100);
    expect(await storedIds()).toEqual(
      commits
        .flat()
        .map(({ id }) => id)
        .toSorted(),
    );
  });

  test("is published by the next sweep after a failure", async () => {
    const relay = bench.relay();
    await expect.poll(() => relay.status().connected).toBe(true);
    await bench.server.stop();
    const rows = [outboxRow(revocation())];
    await commit(rows);
    relay.wake(rows);
    await bench.server.start();
    await expect.poll(publishedRows).toBe(1);
    expect(await storedIds()).toEqual(rows.map(({ id }) => id));
  });
});
