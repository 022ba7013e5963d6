import { type GatehouseEvent, STREAMS } from "@gatehouse/contracts";
import {
  type Consumer,
  createEvent,
  createReplayer,
  ensureStreams,
  findLetters,
  type LetterFilter,
  startConsumer,
  type StoredLetter,
} from "@gatehouse/messaging";
import { createLogger } from "@gatehouse/observability";
import { jetstream } from "@nats-io/jetstream";
import { headers } from "@nats-io/nats-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { ConsumerDeps } from "../../src/consumer/consumer.ts";
import { replayMessage } from "../../src/dead-letters/replay-message.ts";
import { managerOf } from "../../src/streams.ts";
import { type Bench, connected, createBench, idOf, logger, someEvent } from "../fixtures/messaging.ts";

let bench: Bench;
beforeAll(async () => {
  bench = await createBench();
});
afterEach(() => bench.reset());
afterAll(() => bench.close());

function consume(durable: string, options: Pick<ConsumerDeps, "handlers"> & Partial<ConsumerDeps>): Consumer {
  const consumer = startConsumer({
    bus: bench.connect(),
    stream: STREAMS.auth,
    durable,
    filter: "auth.>",
    retryDelay: () => 0,
    logger,
    ...options,
  });
  bench.cleanup.defer(() => consumer.close());
  return consumer;
}

/** A consumer that fails until it is fixed, and whose effects are guarded by a unique key. */
function fixable(durable: string) {
  const state = { isFixed: false, deliveries: [] as string[], effects: [] as string[] };
  const handle = async (event: GatehouseEvent) => {
    if (!state.isFixed) throw new TypeError("a bug");
    state.deliveries.push(event.id);
    if (await bench.applyEffect(durable, event.id)) state.effects.push(event.id);
  };
  return Object.assign(state, { consumer: consume(durable, { handlers: { "auth.session.started": handle } }) });
}

async function publish(...events: readonly GatehouseEvent[]): Promise<void> {
  const connection = await connected(bench.admin());
  await ensureStreams(connection, [STREAMS.auth], 1);
  for (const event of events)
    await jetstream(connection).publish(event.type, JSON.stringify(event), { msgID: event.id });
}

async function letters(filter: LetterFilter = {}): Promise<StoredLetter[]> {
  const found: StoredLetter[] = [];
  await findLetters(await connected(bench.admin()), filter, (letter) => found.push(letter));
  return found;
}

async function lettersOnce(count: number): Promise<StoredLetter[]> {
  await expect.poll(() => letters()).toHaveLength(count);
  return await letters();
}

const replayer = async (now = () => new Date()) =>
  await createReplayer({ connection: await connected(bench.admin()), now });

async function replayAll(): Promise<void> {
  const { replay } = await replayer();
  for (const { number } of await letters()) expect(await replay(number)).toBe(true);
}

/** Waits until no message is pending or unacknowledged, to prove that something did not happen. */
async function settled(durable: string): Promise<void> {
  const manager = await managerOf(await connected(bench.admin()));
  const outstanding = async () => {
    const { num_ack_pending, num_pending } = await manager.consumers.info(STREAMS.auth.name, durable);
    return num_ack_pending + num_pending;
  };
  await expect.poll(outstanding).toBe(0);
}

describe("a dead letter", () => {
  test("is logged with the command that shows it, and without its data", async () => {
    const lines: string[] = [];
    const handle = async ({ data }: GatehouseEvent): Promise<void> => {
      throw Object.assign(new TypeError("a bug"), { data });
    };
    consume("broken", {
      handlers: { "auth.session.started": handle },
      logger: createLogger({
        service: "test",
        level: "error",
        destination: { write: (line) => void lines.push(line) },
      }),
    });
    const event = someEvent();
    await publish({ ...event, data: { ...event.data, ip_address: "192.0.2.7" } });
    await lettersOnce(1);
    await expect.poll(() => lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      msg: "event became a dead letter",
      durable: "broken",
      subject: event.type,
      attempts: 6,
      next: expect.stringContaining("pnpm ops events dead --consumer broken"),
    });
    expect(lines[0]).not.toContain("192.0.2.7");
  });
});

describe("Replayer.replay", () => {
  test("makes the fixed consumer apply the event once, under its id, and no other consumer", async () => {
    const broken = fixable("broken");
    const other = fixable("other");
    other.isFixed = true;
    const event = someEvent();
    await publish(event);
    const [letter] = await lettersOnce(1);
    expect(letter).toMatchObject({
      consumer: "broken",
      subject: event.type,
      attempts: 6,
      error: "TypeError",
      replays: 0,
    });
    expect(letter?.envelope).toMatchObject({ id: event.id, subject: event.subject });

    broken.isFixed = true;
    await replayAll();
    await expect.poll(() => broken.effects).toEqual([event.id]);
    expect(await letters()).toEqual([]);
    await settled("other");
    expect([broken.deliveries, other.deliveries]).toEqual([[event.id], [event.id]]);

    const stored = await bench.stored();
    expect(stored.map(idOf)).toEqual([event.id, event.id]);
    const messageIds = stored.map(({ header }) => header.get("Nats-Msg-Id"));
    expect(messageIds[0]).toBe(event.id);
    expect(messageIds[1]).toMatch(/^replay:broken:AUTH_EVENTS:1:\d+$/);
    expect(stored[1]?.header.get("Gatehouse-Replay-For")).toBe("broken");
  });

  test("leads to a new letter with a replay count when the handler fails again", async () => {
    const broken = fixable("broken");
    await publish(someEvent());
    const [first] = await lettersOnce(1);
    await replayAll();
    await expect.poll(async () => (await letters())[0]?.replays).toBe(1);
    await replayAll();
    await expect.poll(async () => (await letters())[0]?.replays).toBe(2);
    const [last, ...more] = await letters();
    expect(more).toEqual([]);
    expect(last?.number).toBeGreaterThan(first?.number ?? 0);
    expect(last?.envelope).toEqual(first?.envelope);

    broken.isFixed = true;
    await replayAll();
    await expect.poll(() => broken.effects).toHaveLength(1);
    expect(await letters()).toEqual([]);
  });

  test("delivers once when it is repeated after a crash before the letter was deleted", async () => {
    const broken = fixable("broken");
    await publish(someEvent());
    const [letter] = await lettersOnce(1);
    broken.isFixed = true;
    const { headers, msgID, payload, subject } = replayMessage(letter!);
    await jetstream(await connected(bench.admin())).publish(subject, payload, { headers, msgID });
    expect(await letters()).toHaveLength(1);

    await replayAll();
    expect(await letters()).toEqual([]);
    await expect.poll(() => broken.deliveries).toHaveLength(1);
    await settled("broken");
    expect([broken.deliveries.length, (await bench.stored()).length]).toEqual([1, 2]);
  });

  test("delivers again after the duplicate window, without a second effect", async () => {
    const broken = fixable("broken");
    const event = someEvent();
    await publish(event);
    await ensureStreams(await connected(bench.admin()), [{ ...STREAMS.auth, duplicateWindowMs: 100 }], 1);
    const [letter] = await lettersOnce(1);
    broken.isFixed = true;
    const { headers, msgID, payload, subject } = replayMessage(letter!);
    const client = jetstream(await connected(bench.admin()));
    const isTaken = async () => !(await client.publish(subject, payload, { headers, msgID })).duplicate;
    expect(await isTaken()).toBe(true);
    await expect.poll(isTaken).toBe(true);

    await replayAll();
    await settled("broken");
    await expect.poll(() => broken.deliveries.length).toBeGreaterThan(1);
    expect(broken.effects).toEqual([event.id]);
  });

  test("delivers each event once when two operators replay at the same time", async () => {
    const broken = fixable("broken");
    const events = Array.from({ length: 20 }, () => someEvent());
    await publish(...events);
    const numbers = (await lettersOnce(20)).map(({ number }) => number);
    broken.isFixed = true;
    await Promise.all(
      [await replayer(), await replayer()].map(async ({ replay }) => {
        for (const number of numbers) await replay(number);
      }),
    );
    await expect.poll(() => broken.deliveries).toHaveLength(20);
    await settled("broken");
    expect(broken.deliveries.toSorted()).toEqual(events.map(({ id }) => id).toSorted());
    expect(await letters()).toEqual([]);
  });

  test("does not overwrite a newer version of a projection", async () => {
    const versions: number[] = [];
    let isFixed = false;
    await bench.db.schema.createTable("copies").addColumn("id", "text").addColumn("version", "integer").execute();
    bench.cleanup.defer(() => bench.db.schema.dropTable("copies").execute());
    const db = bench.db.$extendTables<{ copies: { id: string; version: number } }>();
    await db.insertInto("copies").values({ id: "one", version: 0 }).execute();
    consume("copier", {
      handlers: {
        "auth.session.started": async ({ version = 0 }) => {
          if (version === 1 && !isFixed) throw new TypeError("a bug");
          versions.push(version);
          await db
            .updateTable("copies")
            .set({ version })
            .where("id", "=", "one")
            .where("version", "<", version)
            .execute();
        },
      },
    });
    await publish({ ...someEvent(), version: 1 }, { ...someEvent(), version: 2 });
    await lettersOnce(1);
    isFixed = true;
    await replayAll();
    await expect.poll(() => versions).toEqual([2, 1]);
    await settled("copier");
    expect(await db.selectFrom("copies").selectAll().execute()).toEqual([{ id: "one", version: 2 }]);
  });

  test("publishes an invalid message unchanged", async () => {
    const connection = await connected(bench.admin());
    await publish();
    await jetstream(connection).publish("auth.session.started", "{", { msgID: "nonsense" });
    fixable("broken");
    const [letter] = await lettersOnce(1);
    expect(letter).toMatchObject({ attempts: 1, envelope: undefined, error: expect.stringContaining("not JSON") });
    await replayAll();
    await expect.poll(async () => (await letters())[0]?.replays).toBe(1);
    expect((await bench.stored()).map((message) => message.string())).toEqual(["{", "{"]);
  });

  test("returns false when the letter no longer exists", async () => {
    fixable("broken");
    await publish(someEvent());
    const [letter] = await lettersOnce(1);
    const { replay } = await replayer();
    await (await managerOf(await connected(bench.admin()))).streams.deleteMessage("DEAD_LETTERS", letter!.number);
    expect(await replay(letter!.number)).toBe(false);
  });
});

describe("Replayer.objection", () => {
  const DAY = 86_400_000;

  test("is undefined while the consumer runs and handles the subject", async () => {
    fixable("broken");
    await publish(someEvent());
    const [letter] = await lettersOnce(1);
    expect(await (await replayer()).objection(letter!)).toBeUndefined();
  });

  test("names a consumer that does not run or does not exist", async () => {
    const { consumer } = fixable("broken");
    await publish(someEvent());
    const [letter] = await lettersOnce(1);
    await consumer.close();
    const objection = async () => (await replayer()).objection(letter!);
    await expect.poll(objection).toContain("consumer broken of AUTH_EVENTS is not running");
    const manager = await managerOf(await connected(bench.admin()));
    await manager.consumers.delete(STREAMS.auth.name, "broken");
    expect(await (await replayer()).objection(letter!)).toContain("AUTH_EVENTS has no consumer broken");

    consume("broken", { filter: "auth.account.>", handlers: {} });
    await expect.poll(objection).toContain("no longer handles auth.session.started");
  });

  test("rejects an event that is older than 45 days", async () => {
    fixable("broken");
    await publish(someEvent());
    const [letter] = await lettersOnce(1);
    const inDays = (days: number) => replayer(() => new Date(Date.now() + days * DAY));
    expect(await (await inDays(44)).objection(letter!)).toBeUndefined();
    expect(await (await inDays(46)).objection(letter!)).toContain("older than 45 days");
  });

  test("names a subject that no stream has", async () => {
    const connection = await connected(bench.admin());
    await ensureStreams(connection, [STREAMS.deadLetters], 1);
    await jetstream(connection).publish("dead.theirs.order.placed", "text");
    const [letter] = await lettersOnce(1);
    expect(await (await replayer()).objection(letter!)).toContain("no stream has the subject order.placed");
  });
});

describe("a dead letter of another program", () => {
  test.each([
    ["without headers", undefined],
    ["with headers of its own", "some value"],
  ])("%s is read by its subject and replayed for its consumer", async (_what, value) => {
    const broken = fixable("theirs");
    broken.isFixed = true;
    const event = someEvent();
    const connection = await connected(bench.admin());
    await publish();
    await ensureStreams(connection, [STREAMS.deadLetters], 1);
    const own = headers();
    if (value !== undefined) own.set("Some-Header", value);
    const options = value === undefined ? {} : { headers: own };
    await jetstream(connection).publish(`dead.theirs.${event.type}`, JSON.stringify(event), options);
    const [letter] = await lettersOnce(1);
    expect(letter).toMatchObject({ consumer: "theirs", subject: event.type, stream: "AUTH_EVENTS", error: undefined });
    await replayAll();
    await expect.poll(() => broken.effects).toEqual([event.id]);
    const [message] = await bench.stored();
    expect(message?.header.get("Some-Header")).toBe(value ?? "");
    expect(message?.header.get("Nats-Msg-Id")).toMatch(/^replay:1:\d+$/);
  });
});

describe("findLetters", () => {
  const user = "0198c0de-0000-7000-8000-000000000001";
  const registered = createEvent({
    source: "user",
    type: "user.registered",
    subject: user,
    data: { user_id: user, email: "ada@example.com", full_name: null },
    version: 1,
  });
  const ended = someEvent("auth.session.revoked");

  test.each<[string, LetterFilter, string[]]>([
    ["without a filter", {}, ["auth.session.revoked", "user.registered"]],
    ["of a consumer", { consumer: "mailer" }, ["user.registered"]],
    ["of a type", { type: "auth.session.revoked" }, ["auth.session.revoked"]],
    ["of a type with a wildcard", { type: "auth.*.revoked" }, ["auth.session.revoked"]],
    ["about a user", { user }, ["user.registered"]],
    ["with an error", { error: "TYPEerror" }, ["auth.session.revoked"]],
    ["with an event's id", { ids: [registered.id] }, ["user.registered"]],
    ["with a number", { ids: ["1"] }, ["auth.session.revoked"]],
    ["with two conditions", { consumer: "mailer", type: "auth.>" }, []],
    ["since a time", { since: new Date(0) }, ["auth.session.revoked", "user.registered"]],
    ["since a later time", { since: new Date(Date.now() + 3_600_000) }, []],
    ["of an unknown consumer", { consumer: "unknown" }, []],
  ])("finds letters %s", async (_what, filter, types) => {
    const connection = await connected(bench.admin());
    await ensureStreams(connection, [STREAMS.deadLetters], 1);
    const client = jetstream(connection);
    const withError = (error: string) => {
      const set = headers();
      set.set("Gatehouse-Error", error);
      return { headers: set };
    };
    await client.publish("dead.ledger.auth.session.revoked", JSON.stringify(ended), withError("TypeError (42703)"));
    await client.publish("dead.mailer.user.registered", JSON.stringify(registered), withError("RangeError"));
    expect((await letters(filter)).map(({ subject }) => subject)).toEqual(types);
  });

  test("finds none when the stream does not exist", async () => {
    expect(await letters()).toEqual([]);
  });
});
