import { type RecordedTelemetry, recordTelemetry } from "@gatehouse/test-kit/telemetry";
import { type EventSubject, type GatehouseEvent, STREAMS } from "@gatehouse/contracts";
import { AppError } from "@gatehouse/errors";
import { createReplayer, ensureStreams, startConsumer } from "@gatehouse/messaging";
import { currentContext, openContext, type RequestContext, runInContext } from "@gatehouse/observability";
import { type Attributes, type SpanContext, SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ConsumerDeps } from "../../src/consumer/consumer.ts";
import { outboxRow } from "../../src/outbox/outbox-row.ts";
import type { ClaimedRow } from "../../src/relay/claim.ts";
import { publishRows } from "../../src/relay/publish-rows.ts";
import { createPublishRecorder } from "../../src/telemetry/publication.ts";
import { type Bench, connected, createBench, logger, someEvent } from "../fixtures/messaging.ts";

let bench: Bench;
let telemetry: RecordedTelemetry;
beforeAll(async () => {
  bench = await createBench();
});
beforeEach(() => {
  telemetry = recordTelemetry();
});
afterEach(async () => {
  await bench.reset();
  await telemetry.stop();
});
afterAll(() => bench.close());

const TYPES = ["auth.session.started", "auth.session.revoked"] as const;

function consume(
  durable: string,
  handle: (event: GatehouseEvent) => Promise<void>,
  types: readonly EventSubject[] = TYPES,
) {
  const consumer = startConsumer({
    bus: bench.connect(),
    stream: STREAMS.auth,
    durable,
    filter: "auth.>",
    retryDelay: () => 0,
    handlers: Object.fromEntries(types.map((type) => [type, handle])) as ConsumerDeps["handlers"],
    logger,
  });
  bench.cleanup.defer(() => consumer.close());
  return consumer;
}

/** A request that causes one event and ends before the event is published. */
function request(type: (typeof TYPES)[number] = "auth.session.started"): {
  context: RequestContext;
  event: GatehouseEvent;
} {
  const span = { name: "POST /things", kind: SpanKind.SERVER };
  const context = openContext({ correlationId: "order-66", traceparent: undefined, span });
  const event = runInContext(context, () => someEvent(type));
  context.span?.end();
  return { context, event };
}

/** Publishes without a relay. */
async function publishBare(subject: string, payload: string): Promise<void> {
  const connection = await connected(bench.admin());
  await ensureStreams(connection, [STREAMS.auth], 1);
  await connection.request(subject, payload);
}

const placeOf = (span: SpanContext | undefined) => ({ traceId: span?.traceId, spanId: span?.spanId });
const spansOf = (name: string) => telemetry.spans().filter((span) => span.name === name);
const publishes = ({ type }: GatehouseEvent) => spansOf(`publish ${type}`);

/** Waits for `count` attempts at messages of one subject and returns them. */
async function triesOf(subject: string, count: number) {
  await expect.poll(() => spansOf(`process ${subject}`)).toHaveLength(count);
  return spansOf(`process ${subject}`);
}

const outcomes = (tries: readonly { readonly attributes: Attributes }[]) =>
  tries.map(({ attributes }) => ({
    attempt: attributes["gatehouse.message.attempt"],
    deliveries: attributes["gatehouse.message.deliveries"],
    outcome: attributes["gatehouse.message.outcome"],
    error: attributes["error.type"],
  }));

describe("spans of an event", () => {
  test.each([
    ["published from memory", "auth.session.revoked"],
    ["found in the outbox by another process", "auth.session.started"],
  ] as const)("form one trace from the request over the publish to the consumers: %s", async (way, type) => {
    const seen: (RequestContext | undefined)[] = [];
    for (const durable of ["first", "second"]) consume(durable, async () => void seen.push(currentContext()));
    const { context, event } = request(type);
    if (way === "published from memory") {
      const relay = bench.relay({ watermarks: { source: "auth" } });
      await expect.poll(() => relay.status().connected).toBe(true);
      await bench.emit([event], relay);
    } else {
      await bench.emit([event]);
      bench.relay({ watermarks: { source: "auth" } });
    }

    const tries = await triesOf(type, 2);
    // A concurrent sweep may publish the row a second time; the stream drops the duplicate.
    const isFirst = ({ attributes }: { readonly attributes: Attributes }) => !attributes["gatehouse.message.duplicate"];
    const stored = () => publishes(event).filter(isFirst);
    await expect.poll(stored).toHaveLength(1);
    const [publish] = stored();
    expect(publish).toMatchObject({ kind: SpanKind.PRODUCER, links: [], status: { code: SpanStatusCode.UNSET } });
    expect(publish?.parentSpanContext).toMatchObject(placeOf(context.trace));
    expect(publish?.attributes).toEqual({
      "messaging.system": "nats",
      "messaging.operation.name": "publish",
      "messaging.operation.type": "send",
      "messaging.destination.name": type,
      "messaging.message.id": event.id,
    });
    for (const each of tries) {
      expect(each).toMatchObject({ kind: SpanKind.CONSUMER, links: [{ context: placeOf(context.trace) }] });
      expect(each.parentSpanContext).toMatchObject(placeOf(publish?.spanContext()));
    }
    const groups = tries.map(({ attributes }) => attributes["messaging.consumer.group.name"]);
    expect(groups.toSorted()).toEqual(["first", "second"]);
    expect(tries[0]?.attributes).toEqual({
      "messaging.system": "nats",
      "messaging.operation.name": "process",
      "messaging.operation.type": "process",
      "messaging.destination.name": type,
      "messaging.consumer.group.name": groups[0],
      "messaging.message.id": event.id,
      "gatehouse.message.sequence": expect.any(Number),
      "gatehouse.message.attempt": 1,
      "gatehouse.message.deliveries": 1,
      "gatehouse.message.outcome": "handled",
    });
    // Within the handler its own span is current, so further spans are its children.
    expect(seen.map((handler) => handler?.correlationId)).toEqual(["order-66", "order-66"]);
    expect(seen.map((handler) => handler?.span)).toEqual(tries);
    // Watermarks have no span.
    expect(telemetry.spans().filter(isFirst)).toHaveLength(4);
  });

  test("are not recorded when the request is not, and the traceparent is passed on unchanged", async () => {
    await telemetry.stop();
    telemetry = recordTelemetry({ sampled: false });
    const { event } = request();
    expect(event.traceparent).toMatch(/-00$/);
    const consumer = consume("first", async () => undefined);
    await bench.emit([event]);
    bench.relay();
    await expect.poll(() => consumer.status().handled).toBe(1);
    const [message] = await bench.stored();
    expect(message?.header.get("traceparent")).toBe(event.traceparent);
    expect(telemetry.spans()).toEqual([]);
    expect(await telemetry.points("messaging.process.duration")).toHaveLength(1);
  });

  test("continue the event's own traceparent when the message has no header", async () => {
    const { context, event } = request();
    consume("first", async () => undefined);
    await publishBare(event.type, JSON.stringify(event));
    const [only] = await triesOf(event.type, 1);
    expect(only?.parentSpanContext).toMatchObject(placeOf(context.trace));
    expect(only?.links).toMatchObject([{ context: placeOf(context.trace) }]);
  });

  test("are not recorded without a handler", async () => {
    const [unheard, heard] = [request("auth.session.revoked").event, request().event];
    consume("first", async () => undefined, ["auth.session.started"]);
    await publishBare(unheard.type, JSON.stringify(unheard));
    await publishBare(heard.type, JSON.stringify(heard));
    await triesOf(heard.type, 1);
    expect(spansOf(`process ${unheard.type}`)).toEqual([]);
  });
});

describe("the span of a publish", () => {
  const rowOf = (event: GatehouseEvent): ClaimedRow => {
    const { headers, ...row } = outboxRow(event);
    return { ...row, headers: JSON.parse(headers ?? "{}") as ClaimedRow["headers"] };
  };

  test("records a missing acknowledgement, an acknowledgement and a duplicate", async () => {
    const connection = await connected(bench.admin());
    const { event } = request();
    const record = createPublishRecorder();
    await publishRows(connection, [rowOf(event)], record);
    await ensureStreams(connection, [STREAMS.auth], 1);
    for (let count = 0; count < 2; count += 1) await publishRows(connection, [rowOf(event)], record);

    const [failed, good, repeated] = publishes(event);
    expect(failed?.status).toEqual({ code: SpanStatusCode.ERROR });
    expect(failed?.attributes).toMatchObject({ "error.type": "NoStreamError" });
    expect(good?.attributes).not.toHaveProperty("error.type");
    expect(good?.attributes).not.toHaveProperty("gatehouse.message.duplicate");
    expect(repeated?.attributes).toMatchObject({ "gatehouse.message.duplicate": true });
    const points = await telemetry.points("messaging.client.operation.duration");
    expect(
      points.map(({ attributes, value }) => [attributes["error.type"], (value as { count: number }).count]),
    ).toEqual([
      ["NoStreamError", 1],
      [undefined, 2],
    ]);
  });

  test("records a failure when the connection is lost before the reply", async () => {
    const connection = await connected(bench.connect());
    await ensureStreams(connection, [STREAMS.auth], 1);
    const { event } = request();
    const publishing = publishRows(connection, [rowOf(event)], createPublishRecorder());
    await connection.close();
    expect((await publishing).acknowledged).toEqual([]);
    expect(publishes(event)).toMatchObject([{ attributes: { "error.type": "UnansweredError" } }]);
  });
});

describe("spans of a failing handler", () => {
  test("are one for each attempt, under the same publish, with the error", async () => {
    const failures = [new TypeError("alice@example.com"), new AppError("ServiceUnavailable")];
    consume("first", async () => {
      const failure = failures.shift();
      if (failure) throw failure;
    });
    const { event } = request();
    await bench.emit([event]);
    bench.relay();
    const tries = await triesOf(event.type, 3);
    expect(outcomes(tries)).toEqual([
      { attempt: 1, deliveries: 1, outcome: "failed", error: "TypeError" },
      // An infrastructure error does not count.
      { attempt: 2, deliveries: 2, outcome: "paused", error: "ServiceUnavailable" },
      { attempt: 2, deliveries: 3, outcome: "handled", error: undefined },
    ]);
    const { ERROR, UNSET } = SpanStatusCode;
    expect(tries.map(({ status }) => status)).toEqual([{ code: ERROR }, { code: ERROR }, { code: UNSET }]);
    const parents = new Set(tries.map(({ parentSpanContext }) => parentSpanContext?.spanId));
    expect(parents).toEqual(new Set([publishes(event)[0]?.spanContext().spanId]));
    expect(JSON.stringify(tries.map(({ attributes, events, status }) => [attributes, events, status]))).not.toContain(
      "alice",
    );
  });

  test("continue through dead letter and replay in the same trace, with a link to the request", async () => {
    let isMended = false;
    consume("first", async () => {
      if (!isMended) throw new TypeError("a bug");
    });
    const { context, event } = request();
    await bench.emit([event]);
    bench.relay();
    const tries = await triesOf(event.type, 6);
    expect(outcomes(tries).map(({ outcome }) => outcome)).toEqual([...Array(5).fill("failed"), "dead_lettered"]);

    isMended = true;
    const replayer = await createReplayer({ connection: await connected(bench.admin()), now: () => new Date() });
    await expect.poll(() => replayer.replay(1)).toBe(true);
    const replayed = (await triesOf(event.type, 7)).at(-1);
    expect(replayed?.attributes).toMatchObject({
      "gatehouse.message.outcome": "handled",
      "gatehouse.message.replays": 1,
      "messaging.message.id": event.id,
    });
    expect(replayed?.parentSpanContext?.spanId).toBe(publishes(event)[0]?.spanContext().spanId);
    expect(replayed?.links).toMatchObject([{ context: placeOf(context.trace) }]);
  });

  test("form a trace of their own for an invalid message", async () => {
    consume("first", async () => undefined);
    await publishBare("auth.session.started", "no event");
    const [only] = await triesOf("auth.session.started", 1);
    expect(only?.parentSpanContext).toBeUndefined();
    expect(only?.attributes).toMatchObject({
      "error.type": "EventFormatError",
      "gatehouse.message.outcome": "dead_lettered",
    });
    expect(only?.attributes).not.toHaveProperty("messaging.message.id");
  });
});

describe("metrics of a consumer", () => {
  test("measure the duration of handlers by subject and error", async () => {
    let tries = 0;
    const consumer = consume("first", async () => {
      tries += 1;
      if (tries === 1) throw new TypeError("a bug");
    });
    await publishBare("auth.session.started", JSON.stringify(someEvent()));
    await expect.poll(() => consumer.status().handled).toBe(1);
    const common = {
      "messaging.system": "nats",
      "messaging.operation.name": "process",
      "messaging.destination.name": "auth.session.started",
      "messaging.consumer.group.name": "first",
    };
    expect(await telemetry.points("messaging.process.duration")).toMatchObject([
      { attributes: { ...common, "error.type": "TypeError" }, value: { count: 1 } },
      { attributes: common, value: { count: 1 } },
    ]);
  });

  test("measure the lag that the server reports", async () => {
    const gate = Promise.withResolvers<void>();
    consume("first", () => gate.promise);
    for (let count = 0; count < 30; count += 1) await publishBare("auth.session.started", JSON.stringify(someEvent()));
    const lag = () => telemetry.points("gatehouse.consumer.lag");
    const of = (value: number) => [{ attributes: { consumer: "first", stream: "AUTH_EVENTS" }, value }];
    await expect.poll(lag).toEqual(of(30));
    gate.resolve();
    await expect.poll(lag).toEqual(of(0));
  });
});
