import type { ReceivedSpan } from "@gatehouse/test-kit/otlp";
export interface SpanSketch {
  readonly name: string;
  readonly service?: string;
  readonly kind?: ReceivedSpan["kind"];
  readonly failed?: boolean;
  readonly status?: number;
  readonly error?: string;
  /** Start and duration in milliseconds. */
  readonly at?: readonly [startMs: number, durationMs: number];
  readonly within?: readonly SpanSketch[];
  /** A parent outside the sketch. */
  readonly parentSpanId?: string;
  readonly spanId?: string;
}

const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const NOON = Date.UTC(2026, 5, 15, 12);

/** Returns the spans of a trace, children before parents as they arrive. A span inherits its parent's service. */
export function sketch(root: SpanSketch, traceId = TRACE_ID): ReceivedSpan[] {
  const spans: ReceivedSpan[] = [];
  const add = (one: SpanSketch, parent: ReceivedSpan | undefined) => {
    const { at = [0, 1], within = [], status, error, kind = "INTERNAL" } = one;
    const isStatement = /^(SELECT|INSERT|UPDATE|BEGIN|COMMIT)/.test(one.name);
    const span: ReceivedSpan = {
      traceId,
      spanId: one.spanId ?? `${one.name} at ${at[0]}`,
      parentSpanId: one.parentSpanId ?? parent?.spanId,
      name: one.name,
      kind: isStatement ? "CLIENT" : kind,
      resource: one.service ? { "service.name": `gatehouse-${one.service}` } : (parent?.resource ?? {}),
      startMs: NOON + at[0],
      durationMs: at[1],
      attributes: {
        ...(isStatement && { "db.system.name": "postgresql" }),
        ...(status !== undefined && { "http.response.status_code": status }),
        ...(error !== undefined && { "error.type": error }),
      },
      links: [],
      failed: one.failed ?? error !== undefined,
    };
    for (const child of within) add(child, span);
    spans.push(span);
  };
  add(root, undefined);
  return spans;
}

/** A registration, from the gateway to the consumer of its event. */
export const REGISTRATION: SpanSketch = {
  ...{ service: "gateway", kind: "SERVER", name: "POST /v1/users", status: 201, at: [0, 100] },
  within: [
    {
      ...{ kind: "CLIENT", name: "POST /v1/users", status: 201, at: [2, 96], spanId: "gateway's client" },
      within: [
        {
          ...{
            service: "user",
            kind: "SERVER",
            name: "POST /v1/users",
            status: 201,
            at: [4, 92],
            spanId: "user's server",
          },
          within: [
            {
              ...{ kind: "CLIENT", name: "POST /internal/accounts", status: 201, at: [6, 80] },
              within: [
                {
                  ...{ service: "auth", kind: "SERVER", name: "POST /internal/accounts", status: 201, at: [8, 76] },
                  within: [
                    { name: "hash password", at: [10, 60] },
                    { name: "BEGIN", at: [71, 1] },
                    { name: "INSERT auth.accounts", at: [72, 3] },
                    { name: "INSERT auth.outbox", at: [75, 2] },
                    { name: "COMMIT", at: [77, 4] },
                    {
                      ...{ kind: "PRODUCER", name: "publish auth.account.created", at: [85, 5] },
                      within: [
                        {
                          ...{ service: "user", kind: "CONSUMER", name: "process auth.account.created", at: [92, 8] },
                          within: [{ name: "INSERT users.inbox", at: [94, 2] }],
                        },
                      ],
                    },
                  ],
                },
              ],
            },
            { name: "INSERT users.users", at: [88, 6.5] },
          ],
        },
      ],
    },
  ],
};
