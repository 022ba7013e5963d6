import { createFaultyLine } from "@gatehouse/test-kit";
import { recordTelemetry } from "@gatehouse/test-kit/telemetry";
import { newId } from "@gatehouse/contracts";
import { type Bus, createEvent } from "@gatehouse/messaging";
import { openContext, runInContext } from "@gatehouse/observability";
import { SpanKind } from "@opentelemetry/api";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { followRevocations } from "../../src/revocation/follower.ts";
import { createRevocationView } from "../../src/revocation/revocation-view.ts";
import { type Bench, createBench, WAIT } from "../fixtures/bench.ts";
import { withoutMessage } from "../fixtures/nats-protocol.ts";

let bench: Bench;
beforeAll(async () => {
  bench = await createBench();
});
beforeEach(() => bench.makeStream());
afterEach(() => bench.reset());
afterAll(() => bench.close());

const REACH_SECONDS = 960;

function follow({ bus = bench.connect(), maxStalenessSeconds = 60 }: { bus?: Bus; maxStalenessSeconds?: number } = {}) {
  const view = createRevocationView({ lifetimeSeconds: REACH_SECONDS, now: () => performance.now() });
  const follower = followRevocations({
    bus,
    view,
    lifetimeSeconds: REACH_SECONDS,
    maxStalenessSeconds,
    logger: bench.logger,
  });
  bench.defer(() => follower.close());
  const hasEnded = (sid: string) => view.isRevoked({ sub: newId(), sid, jti: newId(), kid: newId(), tokenVersion: 0 });
  return { view, follower, hasEnded };
}

/** Publishes the end of a session and waits until the view has it. */
async function endAndSee(hasEnded: (sid: string) => boolean): Promise<string> {
  const sid = newId();
  await bench.endSession(sid);
  await expect.poll(() => hasEnded(sid), WAIT).toBe(true);
  return sid;
}

describe("what happens to the view as auth publishes", () => {
  test("it has what was revoked before it began, and what is revoked from then on", async () => {
    const before = newId();
    await bench.endSession(before);
    const { hasEnded, view } = follow();
    await expect.poll(() => hasEnded(before), WAIT).toBe(true);
    await endAndSee(hasEnded);
    expect(view.size()).toBe(2);
  });

  test("what revokes nothing is not even read, and what cannot be read stops nothing", async () => {
    const { hasEnded, view } = follow();
    for (const subject of [
      "auth.account.created",
      "auth.account.updated",
      "auth.something.new",
      "auth.session.started",
    ])
      await bench.request(subject, "{ not JSON");
    await endAndSee(hasEnded);
    const errors = () => bench.records.filter(({ level }) => level === "error");
    expect(errors()).toEqual([]);
    await bench.request("auth.session.revoked", "{ not JSON");
    await endAndSee(hasEnded);
    expect(errors()).toHaveLength(1);
    expect(view.size()).toBe(2);
  });

  test("it starts quickly with a history of 15 minutes", async () => {
    for (let second = 0; second < 900; second += 1) await bench.vouch();
    const last = newId();
    await bench.endSession(last);
    const { follower, hasEnded } = follow();
    await expect.poll(() => follower.hasCaughtUp(), { timeout: 2_000, interval: 5 }).toBe(true);
    expect(hasEnded(last)).toBe(true);
  });
});

describe("when the view is current", () => {
  test("old watermarks do not make it so, a live one does", async () => {
    await bench.vouch();
    await bench.vouch();
    const { follower, hasEnded } = follow();
    await endAndSee(hasEnded);
    expect(follower.hasCaughtUp()).toBe(true);
    expect(follower.isCurrent()).toBe(false);
    expect(follower.stalenessSeconds()).toBe(Infinity);
    await bench.vouch();
    await expect.poll(() => follower.isCurrent(), WAIT).toBe(true);
    expect(follower.stalenessSeconds()).toBeLessThan(60);
  });

  test("it is not any more when none comes, and is again when one does", async () => {
    const { follower } = follow({ maxStalenessSeconds: 0.3 });
    const vouched = async () => {
      await bench.vouch();
      return follower.isCurrent();
    };
    await expect.poll(vouched, WAIT).toBe(true);
    await expect.poll(() => follower.isCurrent(), WAIT).toBe(false);
    expect(follower.hasCaughtUp()).toBe(true);
    await expect.poll(vouched, WAIT).toBe(true);
  });

  test("a watermark that was long under way vouches for as much less", async () => {
    const line = await createFaultyLine(bench.server.url);
    bench.defer(() => line.close());
    const bus = bench.connect(line.url);
    const { follower, hasEnded } = follow({ bus, maxStalenessSeconds: 0.3 });
    await expect
      .poll(async () => {
        await bench.vouch();
        return follower.isCurrent();
      }, WAIT)
      .toBe(true);

    line.hold();
    await bench.vouch();
    const published = performance.now();
    const behind = newId();
    await bench.endSession(behind);
    await expect.poll(() => performance.now() - published > 600, WAIT).toBe(true);
    line.release();
    await expect.poll(() => hasEnded(behind), WAIT).toBe(true);
    // So the watermark before it has been read as well, but it is old.
    expect(follower.isCurrent()).toBe(false);
    expect(follower.stalenessSeconds()).toBeGreaterThan(0.5);
  });
});

describe("a watermark that came onto the stream late, out of the buffers of a connection that was given up", () => {
  test("vouches for the time that it says, not for the time when it came", async () => {
    const { follower, hasEnded } = follow({ maxStalenessSeconds: 2 });
    await expect
      .poll(async () => {
        await bench.vouch();
        return follower.isCurrent();
      }, WAIT)
      .toBe(true);
    await expect.poll(() => follower.isCurrent(), WAIT).toBe(false);
    await bench.vouch(5_000);
    await endAndSee(hasEnded);
    expect(follower.isCurrent()).toBe(false);
    await bench.vouch();
    await expect.poll(() => follower.isCurrent(), WAIT).toBe(true);
  });

  test("does not make a view current that has just begun and knows earlier ones only", async () => {
    for (let count = 0; count < 3; count += 1) await bench.vouch();
    const { follower, hasEnded } = follow({ maxStalenessSeconds: 2 });
    await endAndSee(hasEnded);
    await bench.vouch(5_000);
    await endAndSee(hasEnded);
    expect(follower.isCurrent()).toBe(false);
    expect(follower.stalenessSeconds()).toBeGreaterThan(4);
    await bench.vouch();
    await expect.poll(() => follower.isCurrent(), WAIT).toBe(true);
  });
});

describe("when the view has caught up", () => {
  test("not before a stream is there, nor while nothing on it is auth's word", async () => {
    await bench.deleteStream();
    const { follower, hasEnded } = follow();
    await bench.makeStream();
    await endAndSee(hasEnded);
    expect(follower.hasCaughtUp()).toBe(false);
    await bench.vouch();
    await expect.poll(() => follower.hasCaughtUp(), WAIT).toBe(true);
  });

  test("not any more when the stream is gone, though the bus is there", async () => {
    await bench.vouch();
    const { follower } = follow();
    await expect.poll(() => follower.hasCaughtUp(), WAIT).toBe(true);
    await bench.deleteStream();
    await expect.poll(() => follower.hasCaughtUp(), WAIT).toBe(false);
  });

  test("not while the bus is away", async () => {
    await bench.vouch();
    const { follower } = follow();
    await expect.poll(() => follower.hasCaughtUp(), WAIT).toBe(true);
    await bench.server.stop();
    await expect.poll(() => follower.hasCaughtUp(), WAIT).toBe(false);
    await bench.server.start();
    await expect.poll(() => follower.hasCaughtUp(), WAIT).toBe(true);
  });
});

describe("what happens when the bus is not what it was", () => {
  const faults: Record<string, () => Promise<unknown>> = {
    "the server was restarted": () => bench.server.restart(),
    "the server was wiped": async () => {
      await bench.server.restart({ wipe: true });
      await bench.makeStream();
    },
    "the stream was made anew": async () => {
      await bench.deleteStream();
      await bench.makeStream();
    },
    "the consumer was deleted": () => bench.deleteConsumers(),
    "the server was restarted while revocations came": async () => {
      await bench.server.stop();
      await bench.server.start();
      await bench.endSession(newId());
    },
  };

  for (const [name, fault] of Object.entries(faults)) {
    test(`${name}: what was known stays known, what comes is heard, a live watermark makes it current`, async () => {
      for (let count = 0; count < 5; count += 1) await bench.vouch();
      const { follower, hasEnded } = follow({ maxStalenessSeconds: 0.3 });
      const before = await endAndSee(hasEnded);
      await fault();
      expect(hasEnded(before)).toBe(true);
      await endAndSee(hasEnded);
      await expect
        .poll(async () => {
          await bench.vouch();
          return follower.isCurrent();
        }, WAIT)
        .toBe(true);
      expect(hasEnded(before)).toBe(true);
    });
  }

  test("it began without a server: it is there as soon as the server is", async () => {
    await bench.server.stop();
    const { follower, hasEnded } = follow();
    expect(follower.isCurrent()).toBe(false);
    expect(follower.hasCaughtUp()).toBe(false);
    await bench.server.start();
    await endAndSee(hasEnded);
  });

  test("a message was lost on the way: nothing after it counts before all has been read again", async () => {
    const line = await createFaultyLine(bench.server.url);
    bench.defer(() => line.close());
    const { follower, hasEnded } = follow({ bus: bench.connect(line.url) });
    await endAndSee(hasEnded);
    const before = await bench.consumerNames();
    const lost = newId();
    line.alterNext((piece) => withoutMessage(piece, "auth.session.revoked"));
    await bench.endSession(lost);
    await bench.vouch();
    await expect.poll(() => hasEnded(lost), WAIT).toBe(true);
    expect(follower.isCurrent()).toBe(false);
    expect((await bench.consumerNames()).filter((name) => !before.includes(name))).toHaveLength(1);
  });
});

test("what happens on closing: nothing more is heard", async () => {
  const { follower, hasEnded } = follow();
  await endAndSee(hasEnded);
  await follower.close();
  const late = newId();
  await bench.endSession(late);
  expect(hasEnded(late)).toBe(false);
});

describe("what is recorded of a revocation", () => {
  test("that comes while the view follows: a span below its publish, and how long it took; of earlier ones nothing", async () => {
    const telemetry = recordTelemetry();
    bench.defer(() => telemetry.stop());
    await bench.endSession(newId());
    const { hasEnded, view } = follow();
    await expect.poll(() => view.size(), WAIT).toBe(1);

    const sid = newId();
    const span = { name: "POST /v1/auth/logout", kind: SpanKind.SERVER };
    const context = openContext({ correlationId: "order-66", traceparent: undefined, span });
    await runInContext(context, () => bench.endSession(sid));
    await bench.vouch();
    await expect.poll(() => hasEnded(sid), WAIT).toBe(true);
    // A pass that reads both again adds nothing.
    await bench.deleteConsumers();
    // By a clock that is ahead of this one.
    const last = newId();
    const data = { user_id: newId(), session_id: last, reason: "logout" } as const;
    const time = new Date(Date.now() + 60_000);
    const event = createEvent({ source: "auth", type: "auth.session.revoked", subject: data.user_id, time, data });
    await bench.request(event.type, JSON.stringify(event));
    await expect.poll(() => hasEnded(last), WAIT).toBe(true);

    const [process, ...others] = telemetry.spans();
    expect(others).toEqual([]);
    expect(process).toMatchObject({
      name: "process auth.session.revoked",
      kind: SpanKind.CONSUMER,
      parentSpanContext: { spanId: context.trace.spanId },
      links: [{ context: { spanId: context.trace.spanId } }],
      attributes: { "messaging.consumer.group.name": "revocation-view" },
    });
    const [lag] = await telemetry.points("gatehouse.revocation.lag");
    expect(lag?.value).toMatchObject({ count: 2, min: 0 });
  });
});
