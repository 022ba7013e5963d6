import { parseEvent, STREAMS } from "@gatehouse/contracts";
import { createEvent, createTransact } from "@gatehouse/messaging";
import { nanos } from "@nats-io/nats-core";
import { sql } from "kysely";
import { cp, rename, rm } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { adoptStream, lastAcknowledged } from "../../src/relay/adopt-stream.ts";
import { settleRows } from "../../src/relay/claim.ts";
import { trimOutbox } from "../../src/relay/trim-outbox.ts";
import { managerOf } from "../../src/streams.ts";
import { type Bench, connected, createBench, idOf, someEvent } from "../fixtures/messaging.ts";

let bench: Bench;
beforeAll(async () => {
  bench = await createBench();
});
afterEach(() => bench.reset());
afterAll(() => bench.close());

const events = (count: number) => Array.from({ length: count }, () => someEvent());
const idsOf = (list: readonly { id: string }[]) => list.map((event) => event.id).toSorted();
const storedIds = async () => (await bench.stored()).map(idOf).toSorted();
const unpublished = async () => {
  const rows = await bench.db.selectFrom("outbox").select("id").where("published_at", "is", null).execute();
  return rows.length;
};

describe("createTransact", () => {
  test("publishes the events of a commit unchanged, each under its own id", async () => {
    const relay = bench.relay();
    const event = createEvent({ source: "auth", type: "auth.key.retired", subject: "k1", data: { kid: "k1" } });
    await bench.emit([event], relay);
    await expect.poll(storedIds).toEqual([event.id]);
    const [message] = await bench.stored();
    expect(parseEvent(message?.json())).toEqual(event);
    expect(message?.subject).toBe("auth.key.retired");
    expect(message?.header.get("Nats-Msg-Id")).toBe(event.id);
    expect(message?.header.get("content-type")).toBe("application/cloudevents+json");
    await expect.poll(unpublished).toBe(0);
    // A concurrent sweep may publish it as well; the stream drops the duplicate.
    expect(relay.status().published).toBeGreaterThanOrEqual(1);
    expect(relay.status()).toMatchObject({ connected: true, failed: 0 });
  });

  test("publishes nothing after a rollback", async () => {
    const relay = bench.relay();
    const transact = createTransact({ db: bench.db, relay });
    const rolledBack = transact(async (_trx, emit) => {
      emit(someEvent());
      throw new Error("changed my mind");
    });
    await expect(rolledBack).rejects.toThrow("changed my mind");
    const kept = someEvent();
    await bench.emit([kept], relay);
    await expect.poll(storedIds).toEqual([kept.id]);
  });

  test("repeats the work after a deadlock, and publishes only the events of the committed run", async () => {
    const transact = createTransact({ db: bench.db });
    await sql`create table touched (id text primary key, at timestamptz)`.execute(bench.db);
    bench.cleanup.defer(() => bench.db.schema.dropTable("touched").execute());
    await sql`insert into touched values ('a'), ('b')`.execute(bench.db);
    const bothHoldOne = Promise.withResolvers<void>();
    let holders = 0;
    let runs = 0;
    const work = (first: string, second: string) =>
      transact(async (trx, emit) => {
        runs += 1;
        emit(someEvent());
        const touch = (id: string) => sql`update touched set at = now() where id = ${id}`.execute(trx);
        await touch(first);
        if (++holders === 2) bothHoldOne.resolve();
        await bothHoldOne.promise;
        await touch(second);
      });
    await Promise.all([work("a", "b"), work("b", "a")]);
    expect(runs).toBe(3);
    expect(await unpublished()).toBe(2);
  });

  test("fails at once with any other error", async () => {
    let runs = 0;
    const transact = createTransact({ db: bench.db });
    const failing = transact(async (trx) => {
      runs += 1;
      await sql`select 1 / 0`.execute(trx);
    });
    await expect(failing).rejects.toThrow("division by zero");
    expect(runs).toBe(1);
  });
});

describe("several relays", () => {
  test("share the rows, and store each in the stream once", async () => {
    const list: ReturnType<typeof someEvent>[] = [];
    const relays = [bench.relay(), bench.relay()];
    const emitMore = async () => {
      const more = events(100);
      list.push(...more);
      await bench.emit(more, { wake: () => relays.forEach((relay) => relay.wake()) });
      return relays.every((relay) => relay.status().published > 0);
    };
    await expect.poll(emitMore).toBe(true);
    await expect.poll(unpublished).toBe(0);
    expect(await storedIds()).toEqual(idsOf(list));
  });

  test("publish the rows of a killed relay after its lease, and not before", async () => {
    const [held, free] = [someEvent(), someEvent()];
    await bench.emit([held, free]);
    const { rows } = await sql<{ until: Date }>`
      update outbox set claimed_until = now() + interval '2 seconds' where id = ${held.id}
      returning claimed_until as until`.execute(bench.db);
    bench.relay();
    await expect.poll(storedIds).toEqual([free.id]);
    await expect.poll(unpublished).toBe(0);
    const message = (await bench.stored()).find((one) => idOf(one) === held.id);
    const published = await bench.db.selectFrom("outbox").select("published_at").where("id", "=", held.id).execute();
    expect(published[0]?.published_at?.getTime()).toBeGreaterThan(rows[0]?.until.getTime() ?? Infinity);
    expect(message).toBeDefined();
  });

  test("publish the remaining rows before they close", async () => {
    const relay = bench.relay();
    await expect.poll(() => relay.status().connected).toBe(true);
    const list = events(1_100);
    await bench.emit(list);
    await relay.close();
    expect(await unpublished()).toBe(0);
  });
});

describe("a relay without NATS", () => {
  test("keeps events in the outbox without delaying transactions, and publishes them when NATS returns", async () => {
    const relay = bench.relay();
    const before = someEvent();
    await bench.emit([before], relay);
    await expect.poll(storedIds).toEqual([before.id]);
    await bench.server.stop();
    await expect.poll(() => relay.status().connected).toBe(false);
    const during = events(20);
    for (const event of during) await bench.emit([event], relay);
    expect(await unpublished()).toBe(20);
    await bench.server.start();
    await expect.poll(unpublished).toBe(0);
    await connected(bench.admin());
    expect(await storedIds()).toEqual(idsOf([before, ...during]));
  });

  test("publishes an unacknowledged row again", async () => {
    const relay = bench.relay();
    await expect.poll(() => relay.status().connected).toBe(true);
    const list = events(2_000);
    await bench.emit(list, relay);
    await bench.server.restart();
    await expect.poll(unpublished, { timeout: 15_000 }).toBe(0);
    await connected(bench.admin());
    expect(new Set(await storedIds())).toEqual(new Set(idsOf(list)));
  });
});

describe("a recreated stream", () => {
  test("receives all rows of the outbox again after the server was wiped, from any number of relays", async () => {
    const relays = [bench.relay(), bench.relay()];
    const list = events(300);
    await bench.emit(list, relays[0]);
    await expect.poll(unpublished).toBe(0);
    await bench.server.restart({ wipe: true });
    await connected(bench.admin());
    await expect.poll(async () => (await bench.stored()).length).toBe(list.length);
    expect(await storedIds()).toEqual(idsOf(list));
    await expect.poll(unpublished).toBe(0);
  });

  test("receives all rows again after it was deleted under a live connection", async () => {
    const relay = bench.relay();
    const list = events(10);
    await bench.emit(list, relay);
    await expect.poll(unpublished).toBe(0);
    const manager = await managerOf(await connected(bench.admin()));
    await manager.streams.delete(STREAMS.auth.name);
    const late = someEvent();
    await bench.emit([late], relay);
    await expect.poll(storedIds).toEqual(idsOf([...list, late]));
  });

  test("receives the lost rows again after a power loss or a restored snapshot removed its end", async () => {
    const relays = [bench.relay(), bench.relay()];
    const [kept, lost] = [events(50), events(20)];
    await bench.emit(kept, relays[0]);
    await expect.poll(unpublished).toBe(0);
    const { folder } = bench.server;
    await bench.server.stop();
    await cp(folder, `${folder}.snapshot`, { recursive: true });
    await bench.server.start();
    await bench.emit(lost, relays[1]);
    await expect.poll(unpublished).toBe(0);
    await bench.server.stop();
    await rm(folder, { recursive: true });
    await rename(`${folder}.snapshot`, folder);
    await bench.server.start();
    await connected(bench.admin());
    await expect.poll(storedIds).toEqual(idsOf([...kept, ...lost]));
    await expect.poll(unpublished).toBe(0);
    // A relay counts a row shortly after it marked it in the database.
    const published = () => relays.reduce((sum, relay) => sum + relay.status().published, 0);
    await expect.poll(published, { message: "nothing else was published again" }).toBe(kept.length + 2 * lost.length);
  });

  test("receives nothing again when it still holds older messages", async () => {
    const relay = bench.relay();
    const list = events(10);
    await bench.emit(list, relay);
    await expect.poll(unpublished).toBe(0);
    // nats-server 2.9 forgets the creation time of a stream that is reconfigured between two restarts.
    await bench.server.restart();
    const manager = await managerOf(await connected(bench.admin()));
    const { name, maxAgeMs } = STREAMS.auth;
    await manager.streams.update(name, { max_age: nanos(2 * maxAgeMs) });
    await bench.server.restart();
    const late = someEvent();
    await bench.emit([late], relay);
    await expect.poll(storedIds).toEqual(idsOf([...list, late]));
    await expect.poll(() => relay.status().published).toBe(list.length + 1);
  });

  test("is not affected by a late mark of a relay that published to the old stream", async () => {
    const event = someEvent();
    await bench.emit([event]);
    const adopt = async (created: string, lastSequence = 1) =>
      adoptStream(bench.db, "AUTH_EVENTS", { created, lastSequence, isOlder: false }, await lastAcknowledged(bench.db));
    const acknowledged = [{ id: event.id, sequence: 1 }];
    const settle = (incarnation: number) =>
      settleRows(bench.db, { claimed: [event.id], acknowledged, stream: "AUTH_EVENTS", incarnation });
    const old = await adopt("old");
    const present = await adopt("new");
    expect([old.again, present.again]).toEqual([0, 0]);
    expect(await settle(old.incarnation)).toBe(false);
    expect(await unpublished()).toBe(1);
    expect(await settle(present.incarnation)).toBe(true);
    expect(await unpublished()).toBe(0);
    expect(await adopt("new")).toEqual(present);
    expect(await adopt("newer")).toMatchObject({ again: 1 });
    expect(await unpublished()).toBe(1);
  });
});

describe("a relay with other faults", () => {
  test("retries a row that JetStream rejects, without delaying other rows", async () => {
    const refused = someEvent();
    await bench.emit([refused]);
    // Larger than the maximum message.
    await sql`update outbox set payload = to_jsonb(repeat('x', 1100000))`.execute(bench.db);
    const list = events(600);
    await bench.emit(list);
    const relay = bench.relay();
    await expect.poll(unpublished).toBe(1);
    expect(await storedIds()).toEqual(idsOf(list));
    expect(relay.status().failed).toBeGreaterThan(0);
    await sql`update outbox set payload = ${JSON.stringify(refused)}, claimed_until = null where id = ${refused.id}`.execute(
      bench.db,
    );
    await expect.poll(unpublished).toBe(0);
  });

  test("continues after its database connections are cut", async () => {
    const relay = bench.relay();
    const before = someEvent();
    await bench.emit([before], relay);
    await expect.poll(unpublished).toBe(0);
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`.execute(
      bench.db,
    );
    const after = someEvent();
    await expect
      .poll(() =>
        bench.emit([after], relay).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    await expect.poll(unpublished).toBe(0);
    expect(await storedIds()).toEqual(idsOf([before, after]));
  });
});

describe("the order of publishing", () => {
  test("puts revoking rows before older ordinary ones", async () => {
    await bench.emit(events(700));
    const revoking = someEvent("auth.session.revoked");
    await bench.emit([revoking]);
    bench.relay();
    await expect.poll(unpublished).toBe(0);
    const [first] = await bench.stored();
    expect(first && idOf(first)).toBe(revoking.id);
  });
});

describe("published rows", () => {
  test("are deleted after the retention, unpublished ones never", async () => {
    const [old, young, waiting] = [someEvent(), someEvent(), someEvent()];
    await bench.emit([old, young, waiting]);
    await sql`update outbox set created_at = now() - interval '1 day'`.execute(bench.db);
    await sql`update outbox set published_at = now() - interval '61 seconds' where id = ${old.id}`.execute(bench.db);
    await sql`update outbox set published_at = now() - interval '59 seconds' where id = ${young.id}`.execute(bench.db);
    expect(await trimOutbox(bench.db, 60)).toBe(1);
    const left = await bench.db.selectFrom("outbox").select("id").execute();
    expect(idsOf(left)).toEqual(idsOf([young, waiting]));
  });
});
