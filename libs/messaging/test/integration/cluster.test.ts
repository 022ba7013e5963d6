import { type BusUser, createLockedCluster, type LockedCluster } from "@gatehouse/test-kit";
import { type GatehouseEvent, STREAMS } from "@gatehouse/contracts";
import {
  type Bus,
  connectBus,
  createTransact,
  ensureStreams,
  readStream,
  startConsumer,
  startRelay,
} from "@gatehouse/messaging";
import type { StreamInfo } from "@nats-io/jetstream";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from "vitest";
import { managerOf } from "../../src/streams.ts";
import {
  connected,
  createCleanup,
  createMessagingDatabase,
  logger,
  type MessagingDatabase,
  someEvent,
} from "../fixtures/messaging.ts";

/** Elections take seconds on a busy machine. */
const WAIT = { timeout: 30_000 };
const TEST_LIMIT = 60_000;
const REPLICAS = 3;

describe.skipIf(inject("gatehouse").nats.kind !== "program")("messaging on a cluster of three servers", () => {
  let cluster: LockedCluster;
  let database: MessagingDatabase;
  const cleanup = createCleanup();
  beforeAll(async () => {
    [cluster, database] = await Promise.all([createLockedCluster(), createMessagingDatabase()]);
  });
  afterEach(() => cleanup.run());
  afterAll(async () => {
    await cluster?.stop();
    await database?.drop();
  });

  function connect(user: BusUser): Bus {
    const bus = connectBus({ url: cluster.urlOf(user), name: user, logger });
    cleanup.defer(() => bus.close());
    return bus;
  }

  async function infoOf(bus: Bus, name: string): Promise<StreamInfo> {
    return await (await managerOf(await connected(bus))).streams.info(name);
  }

  /** Retries during the cluster's first election. */
  async function ensure(bus: Bus, replicas: number): Promise<void> {
    const attempt = async () => {
      try {
        await ensureStreams(await connected(bus), [STREAMS.auth, STREAMS.deadLetters], replicas);
        return "made";
      } catch (error) {
        return (error as Error).message;
      }
    };
    await expect.poll(attempt, WAIT).toBe("made");
  }

  test(
    "ensureStreams works in several processes at once and applies another number of replicas",
    async () => {
      const buses = [connect("auth"), connect("auth"), connect("auth")];
      await Promise.all(buses.map((bus) => ensure(bus, 1)));
      await Promise.all(buses.map((bus) => ensure(bus, REPLICAS)));
      for (const { name } of [STREAMS.auth, STREAMS.deadLetters]) {
        const { config, cluster: placement } = await infoOf(connect("auth"), name);
        expect(config).toMatchObject({ num_replicas: REPLICAS, storage: "file" });
        expect(placement?.replicas).toHaveLength(REPLICAS - 1);
      }
    },
    TEST_LIMIT,
  );

  test(
    "killing the leader of a stream loses and doubles nothing, and revocations and watermarks continue",
    async () => {
      const relayed = connect("auth");
      await ensure(relayed, REPLICAS);
      const common = { db: database.db, stream: STREAMS.auth, replicas: REPLICAS, logger, retentionSeconds: 1200 };
      const relays = [relayed, connect("auth")].map((bus) =>
        startRelay({ ...common, bus, watermarks: { source: "auth" } }),
      );
      for (const relay of relays) cleanup.defer(() => relay.close());

      const handled: string[] = [];
      const handle = async ({ id }: GatehouseEvent) => void handled.push(id);
      const consumer = startConsumer({
        bus: connect("user"),
        stream: STREAMS.auth,
        durable: "user",
        filter: "auth.session.>",
        handlers: { "auth.session.revoked": handle, "auth.session.started": handle },
        replicas: REPLICAS,
        logger,
      });
      cleanup.defer(() => consumer.close());

      const stored = new Map<number, string>();
      let watermarks = 0;
      const reader = readStream({
        bus: connect("gateway"),
        stream: STREAMS.auth,
        since: () => new Date(0),
        onMessage({ data, sequence, subject }) {
          if (subject === "auth.watermark") watermarks += 1;
          else stored.set(sequence, (JSON.parse(new TextDecoder().decode(data)) as { id: string }).id);
        },
        logger,
      });
      cleanup.defer(() => reader.close());

      const written: string[] = [];
      const emit = async (count: number) => {
        const events = Array.from({ length: count }, (_, index) =>
          someEvent(index % 2 === 0 ? "auth.session.revoked" : "auth.session.started"),
        );
        written.push(...events.map(({ id }) => id));
        await createTransact({ db: database.db, relay: { wake: () => relays[0]?.wake() } })(async (_trx, put) =>
          events.forEach(put),
        );
      };
      const seen = () => [...new Set(stored.values())].toSorted();
      await emit(100);
      await expect.poll(seen, WAIT).toEqual(written.toSorted());

      const leader = (await infoOf(relayed, STREAMS.auth.name)).cluster?.leader;
      const victim = cluster.servers[Number(leader?.split("-")[1])];
      const killed = victim?.kill();
      await emit(100);
      await killed;
      await emit(100);
      await expect.poll(seen, WAIT).toEqual(written.toSorted());
      await expect.poll(() => new Set(handled).size, WAIT).toBe(written.length);
      expect(stored.size).toBe(written.length);
      const before = watermarks;
      await expect.poll(() => watermarks, WAIT).toBeGreaterThan(before);

      await victim?.start();
      await emit(10);
      await expect.poll(seen, WAIT).toEqual(written.toSorted());
      const inSync = async () =>
        (await infoOf(relayed, STREAMS.auth.name)).cluster?.replicas?.every(({ current }) => current);
      await expect.poll(inSync, WAIT).toBe(true);
    },
    TEST_LIMIT * 2,
  );
});
