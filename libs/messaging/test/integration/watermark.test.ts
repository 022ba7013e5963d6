import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Bench, createBench, idOf, someEvent } from "../fixtures/messaging.ts";

let bench: Bench;
beforeAll(async () => {
  bench = await createBench();
});
afterEach(() => bench.reset());
afterAll(() => bench.close());

const WATERMARK = "auth.watermark";
const watermarks = { source: "auth" } as const;

async function watermarkTimes(): Promise<string[]> {
  const messages = (await bench.stored()).filter((message) => message.subject === WATERMARK);
  return messages.map((message) => message.json<{ data: { as_of: string } }>().data.as_of);
}

async function databaseTime(): Promise<string> {
  const { rows } = await sql<{ now: string }>`
    select to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as now`.execute(bench.db);
  return rows[0]?.now ?? "";
}

test("a watermark carries the database's time once a second, for any number of relays", async () => {
  bench.relay({ watermarks });
  bench.relay({ watermarks });
  await expect.poll(async () => (await watermarkTimes()).length).toBeGreaterThanOrEqual(3);
  const seconds = (await watermarkTimes()).map((time) => time.slice(0, 19));
  expect(new Set(seconds).size).toBe(seconds.length);
});

test("a watermark waits for a revoking row that another relay has claimed", async () => {
  const revoking = someEvent("auth.session.revoked");
  await bench.emit([revoking]);
  await sql`update outbox set claimed_until = now() + interval '3 seconds'`.execute(bench.db);
  const committed = await databaseTime();
  const relay = bench.relay({ watermarks });
  await expect.poll(() => relay.status().lastWatermark).toBeDefined();
  const messages = await bench.stored();
  expect(messages[0] && idOf(messages[0])).toBe(revoking.id);
  expect((await watermarkTimes()).every((time) => time > committed)).toBe(true);
});

describe("after the database's clock was set back by half an hour", () => {
  test("a claimed revoking row from the future blocks watermarks", async () => {
    const revoking = someEvent("auth.session.revoked");
    await bench.emit([revoking]);
    await sql`
      update outbox set created_at = now() + interval '30 minutes', claimed_until = now() + interval '3 seconds'
    `.execute(bench.db);
    const relay = bench.relay({ watermarks });
    await expect.poll(() => relay.status().lastWatermark).toBeDefined();
    const [first] = await bench.stored();
    expect(first && idOf(first)).toBe(revoking.id);
  });

  test("the lease of a dead relay counts as expired", async () => {
    await bench.emit([someEvent("auth.session.revoked")]);
    await sql`update outbox set claimed_until = now() + interval '30 minutes 5 seconds'`.execute(bench.db);
    const relay = bench.relay();
    await expect.poll(() => relay.status().published).toBe(1);
  });
});

test("a watermark does not wait for ordinary rows", async () => {
  await bench.emit([someEvent()]);
  await sql`update outbox set claimed_until = now() + interval '8 seconds'`.execute(bench.db);
  bench.relay({ watermarks });
  await expect.poll(async () => (await watermarkTimes()).length).toBeGreaterThan(0);
});

test("watermarks are published under constant revocations, each after all older ones", async () => {
  const relay = bench.relay({ watermarks });
  const created = new Map<string, string>();
  const raining = { done: false };
  const rain = async () => {
    while (!raining.done) {
      const event = someEvent("auth.session.revoked");
      await bench.emit([event], relay);
      // Read after the commit: a watermark of a later time must follow the event.
      created.set(event.id, await databaseTime());
    }
  };
  const storm = Promise.all([rain(), rain(), rain(), rain()]);
  try {
    await expect.poll(() => relay.status().lastWatermark).toBeDefined();
    const first = relay.status().lastWatermark;
    await expect.poll(() => relay.status().lastWatermark !== first).toBe(true);
    // Independent of the machine's speed.
    await expect.poll(() => created.size).toBeGreaterThan(100);
  } finally {
    raining.done = true;
    await storm;
  }
  let watermark = "";
  for (const message of await bench.stored()) {
    if (message.subject === WATERMARK) watermark = message.json<{ data: { as_of: string } }>().data.as_of;
    else expect((created.get(idOf(message)) ?? "~") > watermark).toBe(true);
  }
});

test("on a wiped server revocations are published again before any watermark", async () => {
  const relay = bench.relay({ watermarks });
  const revoking = Array.from({ length: 50 }, () => someEvent("auth.session.revoked"));
  await bench.emit(revoking, relay);
  await expect.poll(() => relay.status().lastWatermark).toBeDefined();
  await bench.server.restart({ wipe: true });
  await expect.poll(async () => (await watermarkTimes()).length, { timeout: 15_000 }).toBeGreaterThan(0);
  const subjects = (await bench.stored()).map((message) => message.subject);
  expect(subjects.indexOf(WATERMARK)).toBe(revoking.length);
});
