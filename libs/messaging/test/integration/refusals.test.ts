import { createLockedBus, type LockedBus } from "@gatehouse/test-kit";
import { newId, STREAMS } from "@gatehouse/contracts";
import { type Bus, connectBus, createEvent, ensureStreams, startConsumer } from "@gatehouse/messaging";
import { createLogger } from "@gatehouse/observability";
import { jetstream } from "@nats-io/jetstream";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { connected, createCleanup, logger } from "../fixtures/messaging.ts";

const OWNERS = [
  ["auth", [STREAMS.auth, STREAMS.deadLetters]],
  ["user", [STREAMS.user]],
] as const;

let server: LockedBus;
const cleanup = createCleanup();
beforeAll(async () => {
  server = await createLockedBus();
  for (const [user, streams] of OWNERS) {
    const bus = connect(server.urlOf(user));
    await new Promise((resolve) => bus.onConnected(resolve));
    await ensureStreams(bus, streams, 1);
  }
  await cleanup.run();
});
afterEach(() => cleanup.run());
afterAll(() => server.stop());

function connect(url: string, log = logger): Bus {
  const bus = connectBus({ url, name: "test", logger: log });
  cleanup.defer(() => bus.close());
  return bus;
}

/** A logger and its lines. */
function listeningLogger() {
  const lines: { msg: string; subject?: string; operation?: string }[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[number]) };
  return { log: createLogger({ service: "test", level: "info", destination }), lines };
}

test("a wrong password is logged once, with the variable to fix", async () => {
  const { log, lines } = listeningLogger();
  await server.stop();
  const bus = connect(server.urlOf("auth").replace(/:[^:@]+@/, ":wrong@"), log);
  await expect.poll(() => lines.map(({ msg }) => msg)).toEqual(["cannot reach NATS, retrying"]);
  await server.start();
  await expect
    .poll(() => lines.map(({ msg }) => msg))
    .toEqual(["cannot reach NATS, retrying", "NATS rejected the user or the password of NATS_URL, retrying"]);
  expect(bus.isConnected()).toBe(false);
});

test("a consumer without permissions retries, and each missing permission is logged once", async () => {
  const { log, lines } = listeningLogger();
  const bus = connect(server.urlOf("gateway"), log);
  const connection = await connected(bus);
  const consumer = startConsumer({
    bus,
    stream: STREAMS.auth,
    durable: "user",
    filter: "auth.>",
    handlers: {},
    logger: log,
  });
  cleanup.defer(() => consumer.close());
  const refused = () =>
    lines.filter(({ msg }) => msg.startsWith("NATS does not permit this")).map(({ subject }) => subject);
  const forbidden = ["$JS.API.STREAM.INFO.DEAD_LETTERS", "$JS.API.CONSUMER.CREATE.AUTH_EVENTS.user.auth.>"];
  await expect.poll(refused).toEqual(forbidden);
  const sent = connection.stats().outMsgs;
  // Three more attempts with three requests each.
  await expect.poll(() => connection.stats().outMsgs, { timeout: 15_000 }).toBeGreaterThan(sent + 9);
  expect(refused()).toEqual(forbidden);
  expect(lines.filter(({ msg }) => msg === "consumer user failed, retrying")).toHaveLength(1);
  expect(consumer.status().connected).toBe(false);
});

test("a consumer works without permission to create the stream of dead letters", async () => {
  const { log, lines } = listeningLogger();
  const handled: string[] = [];
  const consumer = startConsumer({
    bus: connect(server.urlOf("audit-log"), log),
    stream: STREAMS.user,
    durable: "audit-log",
    filter: "user.>",
    handlers: { "user.deleted": async ({ id }) => void handled.push(id) },
    replicas: 1,
    logger: log,
  });
  cleanup.defer(() => consumer.close());
  const user_id = newId();
  const event = createEvent({ source: "user", type: "user.deleted", subject: user_id, data: { user_id, soft: false } });
  const publisher = await connected(connect(server.urlOf("user")));
  await jetstream(publisher).publish(event.type, JSON.stringify(event));
  await expect.poll(() => handled).toEqual([event.id]);
  expect(lines.filter(({ operation }) => operation === "publish").map(({ subject }) => subject)).toEqual([
    "$JS.API.STREAM.CREATE.DEAD_LETTERS",
  ]);
});

test("too many replicas are logged with the variable to fix", async () => {
  const { log, lines } = listeningLogger();
  const consumer = startConsumer({
    bus: connect(server.urlOf("user"), log),
    stream: STREAMS.auth,
    durable: "user",
    filter: "auth.account.>",
    handlers: {},
    replicas: 3,
    logger: log,
  });
  cleanup.defer(() => consumer.close());
  const said = () => lines.map(({ msg }) => msg).find((msg) => msg.includes("NATS_STREAM_REPLICAS"));
  await expect
    .poll(said)
    .toBe("consumer user failed, retrying: NATS_STREAM_REPLICAS asks for more copies than there are servers");
});
