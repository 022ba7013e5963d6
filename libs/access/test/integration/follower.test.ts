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

/** Ends a session and waits until the view has it. */
async function endAndSee(hasEnded: (sid: string) => boolean): Promise<string> {
  const sid = newId();
  await bench.endSession(sid);
  await expect.poll(() => hasEnded(sid), WAIT).toBe(true);
  return sid;
}

describe("the view", () => {
  test("has what was revoked before and after the follower started", async () => {
    const before = newId();
    await bench.endSession(before);
    const { hasEnded, view } = follow();
    await expect.poll(() => hasEnded(before), WAIT).toBe(true);
    await endAndSee(hasEnded);
    expect(view.size()).toBe(2);
  });

  test("skips events that revoke nothing and messages that cannot be read", async () => {
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

  test("starts quickly with a history of 15 minutes", async () => {
    for (let second = 0; second < 900; second += 1) await bench.publishWatermark();
    const last = newId();
    await bench.endSession(last);
    const { follower, hasEnded } = follow();
    await expect.poll(() => follower.hasCaughtUp(), { timeout: 2_000, interval: 5 }).toBe(true);
    expect(hasEnded(last)).toBe(true);
  });
});

describe("isCurrent", () => {
  test("is true after a live watermark, not after old ones", async () => {
    await bench.publishWatermark();
    await bench.publishWatermark();
    const { follower, hasEnded } = follow();
    await endAndSee(hasEnded);
    expect(follower.hasCaughtUp()).toBe(true);
    expect(follower.isCurrent()).toBe(false);
    expect(follower.stalenessSeconds()).toBe(Infinity);
    await bench.publishWatermark();
    await expect.poll(() => follower.isCurrent(), WAIT).toBe(true);
    expect(follower.stalenessSeconds()).toBeLessThan(60);
  });

  test("is false without new watermarks and true again with one", async () => {
    const { follower } = follow({ maxStalenessSeconds: 0.3 });
    const isCurrent = async () => {
      await bench.publishWatermark();
      return follower.isCurrent();
    };
    await expect.poll(isCurrent, WAIT).toBe(true);
    await expect.poll(() => follower.isCurrent(), WAIT).toBe(false);
    expect(follower.hasCaughtUp()).toBe(true);
    await expect.poll(isCurrent, WAIT).toBe(true);
  });

  test("lasts correspondingly shorter after a delayed watermark", async () => {
    const line = await createFaultyLine(bench.server.url);
    bench.defer(() => line.close());
    const bus = bench.connect(line.url);
    const { follower, hasEnded } = follow({ bus, maxStalenessSeconds: 0.3 });
    await expect
      .poll(async () => {
        await bench.publishWatermark();
        return follower.isCurrent();
      }, WAIT)
      .toBe(true);

    line.hold();
    await bench.publishWatermark();
    const published = performance.now();
    const behind = newId();
    await bench.endSession(behind);
    await expect.poll(() => performance.now() - published > 600, WAIT).toBe(true);
    line.release();
    await expect.poll(() => hasEnded(behind), WAIT).toBe(true);
    // So the watermark before it was read too, but it is old.
    expect(follower.isCurrent()).toBe(false);
    expect(follower.stalenessSeconds()).toBeGreaterThan(0.5);
  });
});

describe("a watermark that reached the stream late", () => {
  test("counts from the time that it carries, not from its arrival", async () => {
    const { follower, hasEnded } = follow({ maxStalenessSeconds: 2 });
    await expect
      .poll(async () => {
        await bench.publishWatermark();
        return follower.isCurrent();
      }, WAIT)
      .toBe(true);
    await expect.poll(() => follower.isCurrent(), WAIT).toBe(false);
    await bench.publishWatermark(5_000);
    await endAndSee(hasEnded);
    expect(follower.isCurrent()).toBe(false);
    await bench.publishWatermark();
    await expect.poll(() => follower.isCurrent(), WAIT).toBe(true);
  });

  test("does not make a new view current", async () => {
    for (let count = 0; count < 3; count += 1) await bench.publishWatermark();
    const { follower, hasEnded } = follow({ maxStalenessSeconds: 2 });
    await endAndSee(hasEnded);
    await bench.publishWatermark(5_000);
    await endAndSee(hasEnded);
    expect(follower.isCurrent()).toBe(false);
    expect(follower.stalenessSeconds()).toBeGreaterThan(4);
    await bench.publishWatermark();
    await expect.poll(() => follower.isCurrent(), WAIT).toBe(true);
  });
});

describe("hasCaughtUp", () => {
  test("is false without a stream and without a watermark on it", async () => {
    await bench.deleteStream();
    const { follower, hasEnded } = follow();
    await bench.makeStream();
    await endAndSee(hasEnded);
    expect(follower.hasCaughtUp()).toBe(false);
    await bench.publishWatermark();
    await expect.poll(() => follower.hasCaughtUp(), WAIT).toBe(true);
  });

  test("is false after the stream was deleted", async () => {
    await bench.publishWatermark();
    const { follower } = follow();
    await expect.poll(() => follower.hasCaughtUp(), WAIT).toBe(true);
    await bench.deleteStream();
    await expect.poll(() => follower.hasCaughtUp(), WAIT).toBe(false);
  });

  test("is false while the bus is down", async () => {
    await bench.publishWatermark();
    const { follower } = follow();
    await expect.poll(() => follower.hasCaughtUp(), WAIT).toBe(true);
    await bench.server.stop();
    await expect.poll(() => follower.hasCaughtUp(), WAIT).toBe(false);
    await bench.server.start();
    await expect.poll(() => follower.hasCaughtUp(), WAIT).toBe(true);
  });
});

describe("a change of the bus", () => {
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
    test(`${name}: keeps entries, follows new events, and a live watermark makes it current`, async () => {
      for (let count = 0; count < 5; count += 1) await bench.publishWatermark();
      const { follower, hasEnded } = follow({ maxStalenessSeconds: 0.3 });
      const before = await endAndSee(hasEnded);
      await fault();
      expect(hasEnded(before)).toBe(true);
      await endAndSee(hasEnded);
      await expect
        .poll(async () => {
          await bench.publishWatermark();
          return follower.isCurrent();
        }, WAIT)
        .toBe(true);
      expect(hasEnded(before)).toBe(true);
    });
  }

  test("a start without a server: follows as soon as the server is up", async () => {
    await bench.server.stop();
    const { follower, hasEnded } = follow();
    expect(follower.isCurrent()).toBe(false);
    expect(follower.hasCaughtUp()).toBe(false);
    await bench.server.start();
    await endAndSee(hasEnded);
  });

  test("a lost message: nothing after it counts before everything is read again", async () => {
    const line = await createFaultyLine(bench.server.url);
    bench.defer(() => line.close());
    const { follower, hasEnded } = follow({ bus: bench.connect(line.url) });
    await endAndSee(hasEnded);
    const before = await bench.consumerNames();
    const lost = newId();
    line.alterNext((piece) => withoutMessage(piece, "auth.session.revoked"));
    await bench.endSession(lost);
    await bench.publishWatermark();
    await expect.poll(() => hasEnded(lost), WAIT).toBe(true);
    expect(follower.isCurrent()).toBe(false);
    expect((await bench.consumerNames()).filter((name) => !before.includes(name))).toHaveLength(1);
  });
});

test("close stops following", async () => {
  const { follower, hasEnded } = follow();
  await endAndSee(hasEnded);
  await follower.close();
  const late = newId();
  await bench.endSession(late);
  expect(hasEnded(late)).toBe(false);
});

describe("telemetry of a revocation", () => {
  test("has a span below its publish and its lag, only for revocations after the start", async () => {
    const telemetry = recordTelemetry();
    bench.defer(() => telemetry.stop());
    await bench.endSession(newId());
    const { hasEnded, view } = follow();
    await expect.poll(() => view.size(), WAIT).toBe(1);

    const sid = newId();
    const span = { name: "POST /v1/auth/logout", kind: SpanKind.SERVER };
    const context = openContext({ correlationId: "order-66", traceparent: undefined, span });
    await runInContext(context, () => bench.endSession(sid));
    await bench.publishWatermark();
    await expect.poll(() => hasEnded(sid), WAIT).toBe(true);
    // A pass that reads both again records nothing.
    await bench.deleteConsumers();
    // From a clock that is ahead of this one.
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
