import { type GatehouseEvent, newId, STREAMS } from "@gatehouse/contracts";
import { AppError } from "@gatehouse/errors";
import { type Consumer, ensureStreams, startConsumer } from "@gatehouse/messaging";
import { currentContext, runInContext } from "@gatehouse/observability";
import { jetstream } from "@nats-io/jetstream";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { managerOf } from "../../src/streams.ts";
import type { ConsumerDeps } from "../../src/consumer/consumer.ts";
import { type Bench, connected, createBench, logger, someEvent } from "../fixtures/messaging.ts";

let bench: Bench;
beforeAll(async () => {
  bench = await createBench();
});
afterEach(() => bench.reset());
afterAll(() => bench.close());

const DURABLE = "test-consumer";

function consume(options: Partial<ConsumerDeps> & Pick<ConsumerDeps, "handlers">): Consumer {
  const consumer = startConsumer({
    bus: bench.connect(),
    stream: STREAMS.auth,
    durable: DURABLE,
    filter: "auth.session.>",
    retryDelay: () => 20,
    logger,
    ...options,
  });
  bench.cleanup.defer(() => consumer.close());
  return consumer;
}

/** A handler for session.started that records its events. */
function recorder() {
  const seen: string[] = [];
  const record = async (event: GatehouseEvent) => void seen.push(event.id);
  return { seen, handlers: { "auth.session.started": record } };
}

async function publish(events: readonly GatehouseEvent[]): Promise<void> {
  const connection = await connected(bench.admin());
  await ensureStreams(connection, [STREAMS.auth], 1);
  for (const event of events) {
    await jetstream(connection).publish(event.type, JSON.stringify(event), { msgID: event.id });
  }
}

async function letters() {
  return await bench.stored(STREAMS.deadLetters);
}

async function consumerInfo() {
  return await (await managerOf(await connected(bench.admin()))).consumers.info(STREAMS.auth.name, DURABLE);
}

describe("startConsumer", () => {
  test("handles each event in the context of the request that caused it, and acknowledges it", async () => {
    const trace = { traceId: "a".repeat(32), spanId: "b".repeat(16), traceFlags: 1 };
    const context = { correlationId: "request-1", trace };
    const event = runInContext(context, () => someEvent());
    const contexts: unknown[] = [];
    const infos: unknown[] = [];
    consume({
      handlers: {
        "auth.session.started": async (received, info) => {
          expect(received).toEqual(event);
          contexts.push(currentContext());
          infos.push(info);
        },
      },
    });
    await publish([event]);
    await expect.poll(() => contexts.length).toBe(1);
    expect(contexts[0]).toMatchObject({ correlationId: "request-1" });
    expect((contexts[0] as typeof context).trace.traceId).toBe(trace.traceId);
    expect(infos[0]).toMatchObject({ stream: "AUTH_EVENTS", sequence: 1, attempt: 1 });
    await expect.poll(async () => (await consumerInfo()).num_ack_pending).toBe(0);
  });

  test("handles events from before its start, but none without a handler or outside its filter", async () => {
    const { seen, handlers } = recorder();
    const started = someEvent();
    await publish([someEvent("auth.session.revoked"), started]);
    const consumer = consume({ handlers });
    await expect.poll(() => seen).toEqual([started.id]);
    await expect.poll(async () => (await consumerInfo()).num_pending).toBe(0);
    expect(consumer.status()).toEqual({ connected: true, running: 0, handled: 1, failed: 0, deadLettered: 0 });
  });

  test("runs at most `concurrency` handlers at a time", async () => {
    let running = 0;
    let most = 0;
    let handled = 0;
    const gate = Promise.withResolvers<void>();
    consume({
      concurrency: 3,
      handlers: {
        "auth.session.started": async () => {
          most = Math.max(most, ++running);
          if (running === 3) gate.resolve();
          await gate.promise;
          running -= 1;
          handled += 1;
        },
      },
    });
    await publish(Array.from({ length: 20 }, () => someEvent()));
    await expect.poll(() => handled).toBe(20);
    expect(most).toBe(3);
  });

  test("shares events among replicas", async () => {
    const [first, second] = [recorder(), recorder()];
    consume({ handlers: first.handlers, concurrency: 1 });
    consume({ handlers: second.handlers, concurrency: 1 });
    const events = Array.from({ length: 40 }, () => someEvent());
    await publish(events);
    await expect.poll(() => first.seen.length + second.seen.length).toBe(40);
    expect(new Set([...first.seen, ...second.seen])).toEqual(new Set(events.map((event) => event.id)));
  });
});

describe("startConsumer with a repeated event", () => {
  test("applies an effect that is guarded by a unique key once", async () => {
    let effects = 0;
    let deliveries = 0;
    consume({
      concurrency: 1,
      handlers: {
        "auth.session.started": async (event) => {
          if (await bench.applyEffect(DURABLE, event.id)) effects += 1;
          deliveries += 1;
          if (deliveries === 1) throw new Error("lost the acknowledgement");
        },
      },
    });
    await publish([someEvent()]);
    await expect.poll(() => deliveries).toBe(2);
    expect(effects).toBe(1);
  });
});

describe("startConsumer with a failing handler", () => {
  test("writes a dead letter after six attempts while other events are handled", async () => {
    const poison = someEvent("auth.session.revoked");
    const good = Array.from({ length: 10 }, () => someEvent());
    const { seen, handlers } = recorder();
    const attempts: number[] = [];
    const consumer = consume({
      concurrency: 1,
      handlers: {
        ...handlers,
        "auth.session.revoked": async (_event, info) => {
          attempts.push(info.attempt);
          throw new TypeError("a value nobody should see");
        },
      },
    });
    await publish([poison, ...good]);
    await expect.poll(letters).toHaveLength(1);
    expect(attempts).toEqual([1, 2, 3, 4, 5, 6]);
    expect(seen).toEqual(good.map((event) => event.id));
    const [letter] = await letters();
    expect(letter?.subject).toBe(`dead.${DURABLE}.auth.session.revoked`);
    expect(letter?.json()).toEqual(poison);
    expect(letter?.header.get("Gatehouse-Attempts")).toBe("6");
    expect(letter?.header.get("Gatehouse-Error")).toBe("TypeError");
    expect(letter?.header.get("Gatehouse-Msg-Id")).toBe(poison.id);
    await expect.poll(async () => (await consumerInfo()).num_ack_pending).toBe(0);
    expect(consumer.status()).toMatchObject({ handled: 10, failed: 6, deadLettered: 1 });
  });

  test("retries until the handler succeeds", async () => {
    const attempts: number[] = [];
    consume({
      handlers: {
        "auth.session.started": async (_event, info) => {
          attempts.push(info.attempt);
          if (attempts.length < 4) throw new Error("not yet");
        },
      },
    });
    await publish([someEvent()]);
    await expect.poll(() => attempts).toEqual([1, 2, 3, 4]);
    await expect.poll(async () => (await consumerInfo()).num_ack_pending).toBe(0);
    expect(await letters()).toEqual([]);
  });

  test("does not count infrastructure errors, and pauses the whole consumer", async () => {
    const attempts: number[] = [];
    const consumer = consume({
      concurrency: 1,
      handlers: {
        "auth.session.started": async (_event, info) => {
          attempts.push(info.attempt);
          if (attempts.length <= 3) throw new AppError("ServiceUnavailable");
        },
      },
    });
    await publish([someEvent()]);
    await expect.poll(() => attempts).toEqual([1, 1, 1, 1]);
    expect(consumer.status()).toMatchObject({ handled: 1, failed: 0, deadLettered: 0 });
  });

  test("keeps the event while its dead letter cannot be written", async () => {
    const connection = await connected(bench.admin());
    const manager = await managerOf(connection);
    const consumer = consume({
      handlers: {
        "auth.session.started": async () => {
          throw new Error("poison");
        },
      },
    });
    await publish([]);
    await expect.poll(() => consumer.status().connected).toBe(true);
    await manager.streams.delete(STREAMS.deadLetters.name);
    await publish([someEvent()]);
    await expect.poll(() => consumer.status().failed).toBe(6);
    await ensureStreams(connection, [STREAMS.deadLetters], 1);
    await expect.poll(letters, { timeout: 15_000 }).toHaveLength(1);
  });
});

describe("startConsumer with an invalid message", () => {
  test("writes an unchanged dead letter at once", async () => {
    const connection = await connected(bench.admin());
    await publish([]);
    await jetstream(connection).publish("auth.session.started", `{"id":"${newId()}"}`);
    await jetstream(connection).publish("auth.session.started", "{");
    const { seen, handlers } = recorder();
    consume({ handlers });
    await expect.poll(letters).toHaveLength(2);
    const texts = (await letters()).map((letter) => letter.string());
    expect(texts).toContain("{");
    for (const letter of await letters()) {
      expect(letter.header.get("Gatehouse-Attempts")).toBe("1");
      expect(letter.header.get("Gatehouse-Error")).toMatch(/^EventFormatError: /);
    }
    expect(seen).toEqual([]);
  });

  test("acknowledges a subject that this build does not know", async () => {
    const connection = await connected(bench.admin());
    await publish([]);
    await jetstream(connection).publish("auth.session.unheard_of", "whatever");
    const { seen, handlers } = recorder();
    const event = someEvent();
    await publish([event]);
    consume({ handlers });
    await expect.poll(() => seen).toEqual([event.id]);
    expect(await letters()).toEqual([]);
  });
});

describe("startConsumer with a changed server", () => {
  test("waits for a stream or a server that does not exist yet", async () => {
    await bench.server.stop();
    const { seen, handlers } = recorder();
    consume({ handlers });
    await bench.server.start();
    const event = someEvent();
    await publish([event]);
    await expect.poll(() => seen).toEqual([event.id]);
  });

  test("continues after a server restart at the position that the server kept", async () => {
    const { seen, handlers } = recorder();
    const consumer = consume({ handlers });
    const [before, after] = [someEvent(), someEvent()];
    await publish([before]);
    await expect.poll(() => seen).toEqual([before.id]);
    await expect.poll(async () => (await consumerInfo()).num_ack_pending).toBe(0);
    await bench.server.restart();
    await publish([after]);
    // A server that stops may not have written the last acknowledgement: delivery is at least once.
    await expect.poll(() => [...new Set(seen)]).toEqual([before.id, after.id]);
    expect(seen.length).toBeLessThanOrEqual(3);
    expect(consumer.status().connected).toBe(true);
  });

  test("recovers from a wiped server, a deleted stream and a deleted consumer", async () => {
    const { seen, handlers } = recorder();
    consume({ handlers });
    const events = [someEvent(), someEvent(), someEvent(), someEvent()];
    const publishNext = async (index: number) => {
      await publish(events.slice(index, index + 1));
      await expect.poll(() => seen.includes(events[index]?.id ?? "")).toBe(true);
    };
    await publishNext(0);
    await bench.server.restart({ wipe: true });
    await publishNext(1);
    await (await managerOf(await connected(bench.admin()))).streams.delete(STREAMS.auth.name);
    await publishNext(2);
    await (await managerOf(await connected(bench.admin()))).consumers.delete(STREAMS.auth.name, DURABLE);
    await publishNext(3);
  });

  test("updates a durable of another configuration and keeps its position", async () => {
    const first = recorder();
    const consumer = consume({ handlers: first.handlers, filter: "auth.>" });
    const [before, after] = [someEvent(), someEvent()];
    await publish([before]);
    await expect.poll(() => first.seen).toEqual([before.id]);
    await expect.poll(async () => (await consumerInfo()).num_ack_pending).toBe(0);
    await consumer.close();
    const second = recorder();
    consume({ handlers: second.handlers, filter: "auth.session.started" });
    await publish([after]);
    await expect.poll(() => second.seen).toEqual([after.id]);
    expect((await consumerInfo()).config.filter_subject).toBe("auth.session.started");
  });
});

describe("Consumer.close", () => {
  test("finishes running events, and returns waiting ones to another replica at once", async () => {
    const gate = Promise.withResolvers<void>();
    const begun: string[] = [];
    const closing = consume({
      concurrency: 1,
      handlers: {
        "auth.session.started": async (event) => {
          begun.push(event.id);
          await gate.promise;
        },
      },
    });
    const events = [someEvent(), someEvent(), someEvent()];
    await publish(events);
    await expect.poll(() => begun).toHaveLength(1);
    const closed = closing.close();
    const { seen, handlers } = recorder();
    consume({ handlers });
    await expect.poll(() => seen).toHaveLength(2);
    gate.resolve();
    await closed;
    await expect.poll(async () => (await consumerInfo()).num_ack_pending).toBe(0);
    expect([...begun, ...seen].toSorted()).toEqual(events.map((event) => event.id).toSorted());
  });
});
