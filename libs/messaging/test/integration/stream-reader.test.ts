import { STREAMS } from "@gatehouse/contracts";
import { ensureStreams, readStream, type StreamMessage } from "@gatehouse/messaging";
import { jetstream } from "@nats-io/jetstream";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { managerOf } from "../../src/streams.ts";
import type { StreamReaderDeps } from "../../src/jetstream/stream-reader.ts";
import { type Bench, connected, createBench, logger } from "../fixtures/messaging.ts";

let bench: Bench;
beforeAll(async () => {
  bench = await createBench();
});
beforeEach(async () => {
  await ensureStreams(await connected(bench.admin()), [STREAMS.auth], 1);
});
afterEach(() => bench.reset());
afterAll(() => bench.close());

function read(options: Partial<StreamReaderDeps> = {}) {
  const texts: string[] = [];
  const messages: StreamMessage[] = [];
  const starts: { streamCreated: string; lastSequence: number }[] = [];
  const ends: string[] = [];
  const reader = readStream({
    bus: bench.connect(),
    stream: STREAMS.auth,
    since: () => new Date(Date.now() - 60_000),
    onStart: (pass) => starts.push(pass),
    onEnd: (reason) => ends.push(reason),
    onMessage: (message) => {
      messages.push(message);
      texts.push(new TextDecoder().decode(message.data));
    },
    logger,
    ...options,
  });
  bench.cleanup.defer(() => reader.close());
  return { texts, messages, starts, ends, reader };
}

async function publish(...texts: string[]): Promise<void> {
  const client = jetstream(await connected(bench.admin()));
  for (const text of texts) await client.publish("auth.session.started", text);
}

test("readStream reads stored, then live messages in order, and marks the boundary", async () => {
  await publish("a", "b");
  const { messages, starts, texts } = read();
  await expect.poll(() => texts).toEqual(["a", "b"]);
  expect(starts).toMatchObject([{ lastSequence: 2 }]);
  expect(messages.map(({ sequence, pending }) => [sequence, pending])).toEqual([
    [1, 1],
    [2, 0],
  ]);
  await publish("c");
  await expect.poll(() => texts).toEqual(["a", "b", "c"]);
  expect(messages[2]?.subject).toBe("auth.session.started");
  expect(messages[2]?.sequence).toBeGreaterThan(starts[0]?.lastSequence ?? Infinity);
});

test("readStream skips older messages and other subjects", async () => {
  await publish("old");
  const [old] = await bench.stored();
  await publish("new");
  await jetstream(await connected(bench.admin())).publish("auth.key.retired", "other");
  const since = new Date((old?.time.getTime() ?? 0) + 1);
  const { texts } = read({ since: () => since, filter: "auth.session.>" });
  await expect.poll(() => texts).toContain("new");
  expect(texts).not.toContain("other");
});

test("readStream reads more messages than one pull request", async () => {
  const client = jetstream(await connected(bench.admin()));
  const numbers = Array.from({ length: 3_500 }, (_, index) => String(index));
  await Promise.all(numbers.map((text) => client.publish("auth.session.started", text)));
  const { texts } = read();
  await expect.poll(() => texts.length).toBe(numbers.length);
  expect(new Set(texts).size).toBe(numbers.length);
});

test("readStream counts a message as read when the callback throws", async () => {
  const seen: string[] = [];
  read({
    onMessage: (message) => {
      seen.push(new TextDecoder().decode(message.data));
      throw new Error("a bug of the reader's");
    },
  });
  await publish("a", "b");
  await expect.poll(() => seen).toEqual(["a", "b"]);
});

test("readStream begins another pass after a restart, a deleted consumer and a deleted stream", async () => {
  await publish("a");
  const { ends, starts, texts } = read();
  await expect.poll(() => texts).toEqual(["a"]);
  await bench.server.restart();
  await expect.poll(() => texts).toEqual(["a", "a"]);
  expect(ends).toHaveLength(1);
  expect(starts[1]?.streamCreated).toBe(starts[0]?.streamCreated);

  const manager = await managerOf(await connected(bench.admin()));
  for (const consumer of await manager.consumers.list(STREAMS.auth.name).next()) {
    await manager.consumers.delete(STREAMS.auth.name, consumer.name);
  }
  await expect.poll(() => texts).toEqual(["a", "a", "a"]);

  await manager.streams.delete(STREAMS.auth.name);
  await ensureStreams(await connected(bench.admin()), [STREAMS.auth], 1);
  await publish("b");
  await expect.poll(() => texts).toEqual(["a", "a", "a", "b"]);
  expect(starts.at(-1)?.streamCreated).not.toBe(starts[0]?.streamCreated);
});

test("readStream leaves a consumer that the server deletes after a while", async () => {
  const { reader, starts } = read();
  await expect.poll(() => starts).toHaveLength(1);
  await reader.close();
  const manager = await managerOf(await connected(bench.admin()));
  const waiting = async () => {
    const [left] = await manager.consumers.list(STREAMS.auth.name).next();
    return { waiting: left?.num_waiting, goesAfter: left?.config.inactive_threshold };
  };
  await expect.poll(waiting).toEqual({ waiting: 0, goesAfter: 30e9 });
});
