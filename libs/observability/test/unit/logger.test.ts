import { describe, expect, test } from "vitest";
import { createLogger, runInContext } from "@gatehouse/observability";

function loggerWithLines(options: { level?: "info" | "debug"; pretty?: boolean } = {}) {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const logger = createLogger({ service: "gatehouse-test", level: "info", ...options, destination });
  return { logger, lines, records: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const context = { correlationId: "order-66", trace: { traceId: TRACE, spanId: SPAN, traceFlags: 1 } };

test("a line contains level, time, service and message", () => {
  const { logger, records } = loggerWithLines();
  logger.info({ subject: "x" }, "hello");
  expect(records()).toEqual([
    {
      level: "info",
      time: expect.any(String),
      service: "gatehouse-test",
      pid: process.pid,
      subject: "x",
      msg: "hello",
    },
  ]);
  const time = records()[0]?.["time"] as string;
  expect(new Date(time).toISOString()).toBe(time);
});

test("a line in a context contains its ids once", () => {
  const { logger, lines, records } = loggerWithLines();
  runInContext(context, () => {
    logger.info("one");
    logger.info({ correlation_id: "another" }, "two");
  });
  expect(records()[0]).toMatchObject({ correlation_id: "order-66", trace_id: TRACE, span_id: SPAN });
  expect(records()[1]).toMatchObject({ correlation_id: "another" });
  expect(lines[1]?.match(/correlation_id/g)).toHaveLength(1);
});

test("lines below the level are not written", () => {
  const { logger, lines } = loggerWithLines();
  logger.debug("unheard");
  expect(lines).toEqual([]);
});

test("a logged secret is replaced", () => {
  const { logger, lines } = loggerWithLines();
  const secrets = {
    password: "s3cret",
    new_password: "s3cret",
    current_password: "s3cret",
    password_hash: "s3cret",
    authorization: "Bearer s3cret",
    cookie: "refresh_token=s3cret",
    "set-cookie": ["refresh_token=s3cret"],
    access_token: "s3cret",
    refresh_token: "s3cret",
    token: "s3cret",
    secret: "s3cret",
  };
  logger.info(secrets, "flat");
  logger.info({ headers: secrets, body: secrets }, "nested");
  expect(lines.join("")).not.toContain("s3cret");
  expect(lines.join("")).toContain("[redacted]");
});

describe("a logged error", () => {
  test("has name, message, stack, code and causes, and no other properties", () => {
    const { logger, lines, records } = loggerWithLines();
    const cause = Object.assign(new Error("connection refused"), { code: "ECONNREFUSED", address: "10.0.0.7" });
    const error = Object.assign(new Error("unavailable", { cause }), { detail: "Key (email)=(a@b.cd)", row: { x: 1 } });
    logger.error({ err: error }, "failed");
    expect(records()[0]?.["err"]).toEqual({
      type: "Error",
      message: "unavailable",
      stack: expect.stringContaining("logger.test"),
      cause: { type: "Error", message: "connection refused", code: "ECONNREFUSED", stack: expect.any(String) },
    });
    expect(lines[0]).not.toContain("a@b.cd");
    expect(lines[0]).not.toContain("10.0.0.7");
  });

  test("has a limited chain of causes", () => {
    const { logger, records } = loggerWithLines();
    const error = new Error("round");
    error.cause = error;
    logger.error({ err: error }, "failed");
    expect(records()).toHaveLength(1);
  });

  test("does not contain a thrown value that is not an Error", () => {
    const { logger, lines } = loggerWithLines();
    logger.error({ err: "password=s3cret" }, "failed");
    expect(lines[0]).not.toContain("s3cret");
  });
});

test("readable lines are not JSON and have the same content", () => {
  const { logger, lines } = loggerWithLines({ pretty: true });
  runInContext(context, () => logger.info("hello there"));
  expect(lines.join("")).toContain("hello there");
  expect(lines.join("")).toContain("order-66");
  expect(() => JSON.parse(lines.join("")) as unknown).toThrow();
});
