import { EventFormatError, newId } from "@gatehouse/contracts";
import { AppError } from "@gatehouse/errors";
import { createEvent } from "@gatehouse/messaging";
import { headers } from "@nats-io/nats-core";
import { describe, expect, test } from "vitest";
import { createBackoff } from "../../src/backoff.ts";
import { createFailureCounter } from "../../src/consumer/failure-counter.ts";
import { isInfrastructureError } from "../../src/consumer/infrastructure-error.ts";
import { readEvent } from "../../src/consumer/read-event.ts";
import { createWorkQueue } from "../../src/consumer/work-queue.ts";
import { deadLetter, describeError } from "../../src/dead-letters/dead-letter.ts";
import { message } from "../fixtures/message.ts";

const event = createEvent({
  source: "auth",
  type: "auth.session.revoked",
  subject: newId(),
  data: { user_id: newId(), session_id: newId(), reason: "logout" },
});
const PAUSE = { firstMs: 250, maxMs: 5_000 };
const bytes = (text: string) => new TextEncoder().encode(text);

describe("readEvent", () => {
  test("returns a valid event", () => {
    expect(readEvent(message({ subject: event.type, data: bytes(JSON.stringify(event)) }))).toEqual(event);
  });

  test.each([
    ["text that is not JSON", "{"],
    ["an empty message", ""],
    ["another JSON value", "[]"],
    ["an unknown type", JSON.stringify({ ...event, type: "auth.unheard.of" })],
    ["missing data", JSON.stringify({ ...event, data: {} })],
    ["the type of another subject", JSON.stringify({ ...event, type: "auth.key.retired", data: { kid: "k" } })],
  ])("rejects %s", (_what, text) => {
    expect(() => readEvent(message({ subject: event.type, data: bytes(text) }))).toThrow(EventFormatError);
  });

  test("rejects bytes that are not UTF-8", () => {
    expect(() => readEvent(message({ data: Uint8Array.of(0xc3, 0x28) }))).toThrow(EventFormatError);
  });
});

describe("deadLetter", () => {
  const received = headers();
  received.set("Nats-Msg-Id", event.id);
  received.set("Nats-Expected-Stream", "AUTH_EVENTS");
  received.set("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  const original = message({ subject: event.type, data: bytes(JSON.stringify(event)), headers: received });

  test("keeps payload and headers as received, and adds the reason", () => {
    const letter = deadLetter("users", original, 6, new TypeError("a value"));
    expect(letter.subject).toBe("dead.users.auth.session.revoked");
    expect(letter.payload).toBe(original.data);
    expect(Object.fromEntries(letter.headers)).toEqual({
      traceparent: ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
      "Gatehouse-Consumer": ["users"],
      "Gatehouse-Subject": ["auth.session.revoked"],
      "Gatehouse-Stream": ["AUTH_EVENTS"],
      "Gatehouse-Sequence": ["42"],
      "Gatehouse-Stored-At": ["2026-11-24T14:34:26.788Z"],
      "Gatehouse-Attempts": ["6"],
      "Gatehouse-Error": ["TypeError"],
      "Gatehouse-Msg-Id": [event.id],
    });
  });

  test("gives different ids to letters of two consumers and of two streams of one name", () => {
    const ids = [
      deadLetter("users", original, 6, undefined),
      deadLetter("audit", original, 6, undefined),
      deadLetter("users", message({ ...original, storedNanos: "1795530866788444763" }), 6, undefined),
    ].map((letter) => letter.msgID);
    expect(new Set(ids).size).toBe(3);
  });

  test.each([
    [new AppError("ConflictError", { detail: "public text" }), "ConflictError: public text"],
    [new EventFormatError("data: email: is required"), "EventFormatError: data: email: is required"],
    [new Error("Key (email)=(a@b.example) exists"), "Error"],
    [Object.assign(new Error("secret"), { code: "23505", constraint: "users_pkey" }), "Error (23505, users_pkey)"],
    ["a thrown text", "an error of unknown class"],
    [new EventFormatError("two\r\nlines"), "EventFormatError: two lines"],
  ])("describes an error without values: %s", (error, text) => {
    expect(describeError(error)).toBe(text);
  });
});

test.each([
  [new AppError("ServiceUnavailable"), true],
  [new AppError("GatewayTimeout"), true],
  [Object.assign(new Error("deadlock detected"), { code: "40P01" }), true],
  [Object.assign(new Error("password authentication failed"), { code: "28P01" }), true],
  [Object.assign(new Error("could not extend file"), { code: "53100" }), true],
  [new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code: "ECONNREFUSED" }) }), true],
  [AbortSignal.abort(new DOMException("timed out", "TimeoutError")).reason, true],
  [new AppError("EmailAlreadyExists"), false],
  [Object.assign(new Error("duplicate key"), { code: "23505" }), false],
  [new TypeError("a bug"), false],
  ["text", false],
])("isInfrastructureError separates infrastructure errors from bugs: %s", (error, expected) => {
  expect(isInfrastructureError(error)).toBe(expected);
});

test("createFailureCounter counts by message until forgotten, within its limit", () => {
  const counter = createFailureCounter(2);
  expect([counter.failed(1), counter.failed(1), counter.failed(2)]).toEqual([1, 2, 1]);
  counter.forget(1);
  expect([counter.failures(1), counter.failures(2)]).toEqual([0, 1]);
  counter.failed(3);
  counter.failed(4);
  expect([2, 3, 4].map(counter.failures)).toEqual([0, 1, 1]);
  counter.clear();
  expect(counter.failures(4)).toBe(0);
});

test("createBackoff grows its pauses, counts concurrent failures once, and resets after a success", () => {
  const backoff = createBackoff(PAUSE);
  expect(backoff.remaining(0)).toBe(0);
  expect([backoff.failed(0), backoff.failed(100)]).toEqual([250, 150]);
  expect(backoff.failed(250)).toBe(500);
  let now = 750;
  for (let failure = 0; failure < 10; failure += 1) now += backoff.failed(now);
  expect(backoff.failed(now)).toBe(5_000);
  backoff.succeeded();
  expect(backoff.remaining(now)).toBe(0);
  expect(backoff.failed(now)).toBe(250);
});

describe("createWorkQueue", () => {
  test("runs at most `concurrency` messages at a time and releases each when it is done", async () => {
    const gates = new Map<number, PromiseWithResolvers<void>>();
    const queue = createWorkQueue({
      concurrency: 2,
      backoff: createBackoff(PAUSE),
      run: async ({ sequence }) => {
        const gate = Promise.withResolvers<void>();
        gates.set(sequence, gate);
        await gate.promise;
      },
    });
    const released: number[] = [];
    for (const sequence of [1, 2, 3]) queue.add(message({ sequence }), () => released.push(sequence));
    expect([...gates.keys()]).toEqual([1, 2]);
    gates.get(2)?.resolve();
    await expect.poll(() => [...gates.keys()]).toEqual([1, 2, 3]);
    expect(released).toEqual([2]);
    gates.get(1)?.resolve();
    gates.get(3)?.resolve();
    await queue.close();
    expect(released).toEqual([2, 1, 3]);
  });

  test("returns waiting messages and waits for running ones when it closes", async () => {
    const gate = Promise.withResolvers<void>();
    const naks: number[] = [];
    const queue = createWorkQueue({ concurrency: 1, backoff: createBackoff(PAUSE), run: () => gate.promise });
    queue.add(message({ sequence: 1 }), () => undefined);
    queue.add(message({ sequence: 2, nak: (delay) => naks.push(delay) }), () => undefined);
    const closing = queue.close();
    expect([naks, queue.running()]).toEqual([[0], 1]);
    gate.resolve();
    await closing;
    expect(queue.running()).toBe(0);
  });
});
