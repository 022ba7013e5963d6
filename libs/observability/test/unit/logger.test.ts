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

test("what happens when a line is logged: it says level, time, service and message", () => {
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

test("what happens when a line is logged within a context: it carries its ids, once", () => {
  const { logger, lines, records } = loggerWithLines();
  runInContext(context, () => {
    logger.info("one");
    logger.info({ correlation_id: "another" }, "two");
  });
  expect(records()[0]).toMatchObject({ correlation_id: "order-66", trace_id: TRACE, span_id: SPAN });
  expect(records()[1]).toMatchObject({ correlation_id: "another" });
  expect(lines[1]?.match(/correlation_id/g)).toHaveLength(1);
});

test("what happens below the level: nothing is written", () => {
  const { logger, lines } = loggerWithLines();
  logger.debug("unheard");
  expect(lines).toEqual([]);
});

test("what happens when somebody logs a secret after all: it is replaced", () => {
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

describe("what happens when an error is logged", () => {
  test("name, message, stack, code and causes are there, and nothing that hangs on it", () => {
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

  test("a chain of causes that never ends is cut", () => {
    const { logger, records } = loggerWithLines();
    const error = new Error("round");
    error.cause = error;
    logger.error({ err: error }, "failed");
    expect(records()).toHaveLength(1);
  });

  test("something thrown that is no Error does not appear, since it may be anything", () => {
    const { logger, lines } = loggerWithLines();
    logger.error({ err: "password=s3cret" }, "failed");
    expect(lines[0]).not.toContain("s3cret");
  });
});

test("what happens when lines are for people: they are no JSON but say the same", () => {
  const { logger, lines } = loggerWithLines({ pretty: true });
  runInContext(context, () => logger.info("hello there"));
  expect(lines.join("")).toContain("hello there");
  expect(lines.join("")).toContain("order-66");
  expect(() => JSON.parse(lines.join("")) as unknown).toThrow();
});
