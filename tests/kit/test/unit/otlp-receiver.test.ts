import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from "../../src/telemetry/otlp-receiver.ts";

const EXPORT = JSON.stringify({
  resourceSpans: [
    {
      resource: { attributes: [{ key: "service.name", value: { stringValue: "gatehouse-auth" } }] },
      scopeSpans: [
        {
          spans: [
            {
              ...{ traceId: "a".repeat(32), spanId: "b".repeat(16), parentSpanId: "", name: "SELECT auth.accounts" },
              ...{ kind: 3, startTimeUnixNano: "1000000", endTimeUnixNano: "3500000", status: { code: 2 } },
            },
          ],
        },
      ],
    },
  ],
});

let receiver: OtlpReceiver;
const handed: ReceivedSpan[] = [];
beforeEach(async () => {
  handed.length = 0;
  receiver = await startOtlpReceiver({ keep: false, onSpans: (spans) => handed.push(...spans) });
});
afterEach(() => receiver.stop());

const post = async (path: string, body: string | Uint8Array<ArrayBuffer>) =>
  (await fetch(`${receiver.url}${path}`, { method: "POST", body })).status;

describe("a receiver with keep: false", () => {
  it("passes spans on and stores nothing", async () => {
    expect(await post("/v1/traces", EXPORT)).toBe(200);
    expect(handed).toMatchObject([
      {
        name: "SELECT auth.accounts",
        kind: "CLIENT",
        startMs: 1,
        durationMs: 2.5,
        parentSpanId: undefined,
        failed: true,
      },
    ]);
    expect([receiver.spans, receiver.bodies, receiver.headers]).toEqual([[], [], []]);
  });

  it.each([
    ["a compressed body", "/v1/traces", new Uint8Array(gzipSync(EXPORT)), 400],
    ["a body that is no export", "/v1/traces", '{"resourceSpans":[{}]}', 400],
    ["another path", "/v1/profiles", EXPORT, 404],
  ])("rejects %s and accepts the next request", async (_what, path, body, status) => {
    expect(await post(path, body)).toBe(status);
    expect(handed).toEqual([]);
    expect(await post("/v1/traces", EXPORT)).toBe(200);
  });
});
