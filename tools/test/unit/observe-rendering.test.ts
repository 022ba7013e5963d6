import { describe, expect, it } from "vitest";
import { type Page, renderTrace } from "../../observe/render-trace.ts";
import { REGISTRATION, sketch, type SpanSketch } from "../observed-span.ts";

const PAGE: Page = {
  width: 80,
  paint: (_style, text) => text,
  timeOfDay: (ms) => new Date(ms).toISOString().slice(11, 19),
};

const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";

function render(root: SpanSketch, page: Partial<Page> = {}, correlationId?: string): string {
  return renderTrace({ traceId: TRACE_ID, spans: sketch(root), shown: [] }, { ...PAGE, ...page }, correlationId).join(
    "\n",
  );
}

describe("renderTrace", () => {
  it("prints a registration down to the consumer of its event", () => {
    expect(render(REGISTRATION, {}, "0199f0c1-7b5e-7000-8000-000000000000")).toMatchInlineSnapshot(`
      "
      ── 12:00:00  trace 4bf92f3577b34da6a3ce929d0e0e4736 ────────────────────────────
         correlation id 0199f0c1-7b5e-7000-8000-000000000000
      gateway POST /v1/users 201                              100 ms  ━━━━━━━━━━━━━━━━
              └ → POST /v1/users 201                           96 ms  ━━━━━━━━━━━━━━━━
      user      └ POST /v1/users 201                           92 ms  ━━━━━━━━━━━━━━━
                  ├ → POST /internal/accounts 201              80 ms  ━━━━━━━━━━━━━━
      auth        │ └ POST /internal/accounts 201              76 ms   ━━━━━━━━━━━━
                  │   ├ hash password                          60 ms   ━━━━━━━━━━
                  │   ├ BEGIN · INSERT auth.accounts           10 ms             ━━
                  │   │ INSERT auth.outbox · COMMIT
                  │   └ publish auth.account.created          5.0 ms               ━
      user        │     └ process auth.account.created        8.0 ms                ━━
                  │       └ INSERT users.inbox                2.0 ms                 ━
                  └ INSERT users.users                        6.5 ms                ━"
    `);
  });

  it("prints longer bars in a wider terminal", () => {
    expect(render(REGISTRATION, { width: 120 })).toMatchInlineSnapshot(`
      "
      ── 12:00:00  trace 4bf92f3577b34da6a3ce929d0e0e4736 ────────────────────────────────────────────────────────────────────
      gateway POST /v1/users 201                                                              100 ms  ━━━━━━━━━━━━━━━━━━━━━━━━
              └ → POST /v1/users 201                                                           96 ms  ━━━━━━━━━━━━━━━━━━━━━━━━
      user      └ POST /v1/users 201                                                           92 ms  ━━━━━━━━━━━━━━━━━━━━━━━
                  ├ → POST /internal/accounts 201                                              80 ms   ━━━━━━━━━━━━━━━━━━━━
      auth        │ └ POST /internal/accounts 201                                              76 ms   ━━━━━━━━━━━━━━━━━━━
                  │   ├ hash password                                                          60 ms    ━━━━━━━━━━━━━━━
                  │   ├ BEGIN · INSERT auth.accounts · INSERT auth.outbox · COMMIT             10 ms                   ━━
                  │   └ publish auth.account.created                                          5.0 ms                      ━━
      user        │     └ process auth.account.created                                        8.0 ms                        ━━
                  │       └ INSERT users.inbox                                                2.0 ms                        ━
                  └ INSERT users.users                                                        6.5 ms                       ━━"
    `);
  });

  it("cuts names in a narrow terminal", () => {
    expect(render(REGISTRATION, { width: 40 })).toMatchInlineSnapshot(`
      "
      ── 12:00:00  trace 4bf92f3577b34da6a3ce929d0e0e4736 ────────
      gateway POST /v1/users 201              100 ms  ━━━━━━━━━━━━
              └ → POST /v1/users 201           96 ms  ━━━━━━━━━━━━
      user      └ POST /v1/users 201           92 ms  ━━━━━━━━━━━━
                  ├ → POST /internal/ac… 201   80 ms  ━━━━━━━━━━
      auth        │ └ POST /internal/ac… 201   76 ms  ━━━━━━━━━━
                  │   ├ hash password          60 ms   ━━━━━━━
                  │   ├ BEGIN                  10 ms          ━━
                  │   │ INSERT auth.accounts
                  │   │ INSERT auth.outbox
                  │   │ COMMIT
                  │   └ publish auth.accoun…  5.0 ms            ━
      user        │     └ process auth.acco…  8.0 ms             ━
                  │       └ INSERT users.in…  2.0 ms             ━
                  └ INSERT users.users        6.5 ms            ━"
    `);
  });

  it("prints a trace of one span", () => {
    expect(render({ service: "gateway", kind: "SERVER", name: "GET", status: 404, at: [0, 0.42] }))
      .toMatchInlineSnapshot(`
      "
      ── 12:00:00  trace 4bf92f3577b34da6a3ce929d0e0e4736 ────────────────────────────
      gateway GET 404                                        0.42 ms  ━━━━━━━━━━━━━━━━"
    `);
  });
});

describe("renderTrace, statements to the database", () => {
  it("prints consecutive short ones in one row; slow and failed ones have their own", () => {
    const statements: SpanSketch[] = [
      { name: "SELECT auth.sessions", at: [1, 0.5] },
      { name: "SELECT auth.accounts", at: [2, 0.5] },
      { name: "SELECT auth.accounts", at: [3, 0.5] },
      { name: "UPDATE auth.accounts", at: [4, 40] },
      { name: "INSERT auth.accounts", at: [45, 2], error: "23505" },
      { name: "SELECT auth.outbox", at: [48, 1] },
    ];
    const server = { service: "auth", kind: "SERVER", name: "POST /v1/auth/login", status: 200, at: [0, 50] } as const;
    expect(render({ ...server, within: statements })).toMatchInlineSnapshot(`
      "
      ── 12:00:00  trace 4bf92f3577b34da6a3ce929d0e0e4736 ────────────────────────────
      auth    POST /v1/auth/login 200                          50 ms  ━━━━━━━━━━━━━━━━
              ├ SELECT auth.sessions                          1.5 ms  ━
              │ SELECT auth.accounts ×2
              ├ UPDATE auth.accounts                           40 ms   ━━━━━━━━━━━━━
              ├ INSERT auth.accounts ✗ 23505                  2.0 ms                ━
              └ SELECT auth.outbox                            1.0 ms                 ━"
    `);
  });
});

describe("renderTrace, failures", () => {
  const refused: SpanSketch = {
    ...{
      service: "gateway",
      kind: "SERVER",
      name: "GET /v1/users/me",
      status: 503,
      error: "ServiceUnavailable",
      at: [0, 30],
    },
    within: [
      { kind: "CLIENT", name: "GET /v1/users/me", error: "ECONNREFUSED", at: [5, 3] },
      { kind: "CLIENT", name: "GET /v1/users/me", status: 503, error: "503", at: [10, 10] },
    ],
  };

  it("marks a failed span with its error type", () => {
    expect(render(refused)).toMatchInlineSnapshot(`
      "
      ── 12:00:00  trace 4bf92f3577b34da6a3ce929d0e0e4736 ────────────────────────────
      gateway GET /v1/users/me 503 ✗ ServiceUnavailable        30 ms  ━━━━━━━━━━━━━━━━
              ├ → GET /v1/users/me ✗ ECONNREFUSED             3.0 ms    ━━
              └ → GET /v1/users/me 503 ✗                       10 ms       ━━━━━━"
    `);
  });

  it("paints failures red and client errors yellow", () => {
    const paint: Page["paint"] = (style, text) => (/red|yellow/.test(style) ? `<${style}>${text}</${style}>` : text);
    expect(render(refused, { paint })).toMatchInlineSnapshot(`
      "
      ── 12:00:00  trace 4bf92f3577b34da6a3ce929d0e0e4736 ────────────────────────────
      gateway <red>GET /v1/users/me 503 ✗ ServiceUnavailable</red>        30 ms  <red>━━━━━━━━━━━━━━━━</red>
              ├ <red>→ GET /v1/users/me ✗ ECONNREFUSED</red>             3.0 ms  <red>  ━━</red>
              └ <red>→ GET /v1/users/me 503 ✗</red>                       10 ms  <red>     ━━━━━━</red>"
    `);
    expect(render({ ...refused, status: 404, failed: false, within: [] }, { paint })).toMatchInlineSnapshot(`
      "
      ── 12:00:00  trace 4bf92f3577b34da6a3ce929d0e0e4736 ────────────────────────────
      gateway GET /v1/users/me <yellow>404</yellow>                             30 ms  ━━━━━━━━━━━━━━━━"
    `);
  });

  it("marks a client that disconnected before the response", () => {
    const { status: _none, ...left } = refused;
    expect(render({ ...left, error: "aborted", within: [] })).toMatchInlineSnapshot(`
      "
      ── 12:00:00  trace 4bf92f3577b34da6a3ce929d0e0e4736 ────────────────────────────
      gateway GET /v1/users/me ✗ aborted                       30 ms  ━━━━━━━━━━━━━━━━"
    `);
  });
});

describe("renderTrace, incomplete traces", () => {
  const consumed: SpanSketch = {
    ...{ service: "user", kind: "CONSUMER", name: "process auth.account.created", at: [2_100, 8] },
    parentSpanId: "publish auth.account.created at 85",
    within: [{ name: "INSERT users.inbox", at: [2_102, 2] }],
  };

  it("prints late spans below their ancestors that were printed before", () => {
    const later = { traceId: TRACE_ID, spans: sketch(consumed), shown: sketch(REGISTRATION) };
    expect(renderTrace(later, PAGE, "abc").join("\n")).toMatchInlineSnapshot(`
      "
      ── 12:00:02  trace 4bf92f3577b34da6a3ce929d0e0e4736, continued at +2.10 s ──────
         correlation id abc
      gateway POST /v1/users 201
              └ → POST /v1/users 201
      user      └ POST /v1/users 201
                  └ → POST /internal/accounts 201
      auth          └ POST /internal/accounts 201
                      └ publish auth.account.created
      user              └ process auth.account.created        8.0 ms  ━━━━━━━━━━━━━━━━
                          └ INSERT users.inbox                2.0 ms      ━━━━"
    `);
  });

  it("prints parts without their root one after the other", () => {
    const spans = [...sketch(consumed), ...sketch({ ...REGISTRATION, within: [] })];
    expect(renderTrace({ traceId: TRACE_ID, spans, shown: [] }, PAGE).join("\n")).toMatchInlineSnapshot(`
      "
      ── 12:00:00  trace 4bf92f3577b34da6a3ce929d0e0e4736 ────────────────────────────
      gateway POST /v1/users 201                              100 ms  ━
      user    process auth.account.created                    8.0 ms                 ━
              └ INSERT users.inbox                            2.0 ms                 ━"
    `);
  });

  it("replaces control characters of foreign spans", () => {
    expect(render({ service: "\u001B[2J", kind: "SERVER", name: "GET \u001B[31m\r\n/", error: "\u0007" }))
      .toMatchInlineSnapshot(`
      "
      ── 12:00:00  trace 4bf92f3577b34da6a3ce929d0e0e4736 ────────────────────────────
      ?[2J    GET ?[31m??/ ✗ ?                                1.0 ms  ━━━━━━━━━━━━━━━━"
    `);
  });
});
