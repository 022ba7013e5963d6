import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { expectProblem } from "../fixtures/problem.ts";
import { createTestApp, listening, parseAnswer, sendRaw } from "../fixtures/test-app.ts";

const MEBIBYTE = 1024 * 1024;

async function echoServer() {
  const { app, records } = createTestApp();
  app.post("/echo", { schema: { body: z.record(z.string(), z.unknown()) } }, (request) => request.body);
  app.get("/hello", () => ({ hello: "you" }));
  return { app, records, port: await listening(app) };
}

const head = (lines: string[]) => `${lines.join("\r\n")}\r\n\r\n`;

describe("input that is not an HTTP request", () => {
  test.each([
    [
      "headers over 16 KiB",
      head(["GET /hello HTTP/1.1", "host: x", `x-large: ${"x".repeat(17 * 1024)}`]),
      431,
      "PayloadTooLarge",
    ],
    ["a URL over 16 KiB", head([`GET /${"x".repeat(17 * 1024)} HTTP/1.1`, "host: x"]), 431, "PayloadTooLarge"],
    ["an unknown method", head(["BREW /hello HTTP/1.1", "host: x"]), 404, "ResourceNotFound"],
    ["a method in lower case", head(["get /hello HTTP/1.1", "host: x"]), 404, "ResourceNotFound"],
    ["CONNECT", head(["CONNECT internal:80 HTTP/1.1", "host: x"]), 404, "ResourceNotFound"],
    ["another protocol", "SSH-2.0-OpenSSH_9.6\r\n\r\n", 404, "ResourceNotFound"],
    ["a malformed version", head(["GET /hello HTTP/x", "host: x"]), 400, "BadRequest"],
    ["a malformed header", head(["GET /hello HTTP/1.1", "host: x", "no colon"]), 400, "BadRequest"],
    [
      "two lengths",
      head(["POST /echo HTTP/1.1", "host: x", "content-length: 1", "content-length: 2"]),
      400,
      "BadRequest",
    ],
    [
      "a length and chunks",
      `${head(["POST /echo HTTP/1.1", "host: x", "content-length: 3", "transfer-encoding: chunked"])}0\r\n\r\n`,
      400,
      "BadRequest",
    ],
    ["a negative length", head(["POST /echo HTTP/1.1", "host: x", "content-length: -1"]), 400, "BadRequest"],
  ])("rejects %s", async (_name, bytes, status, type) => {
    const { port, records } = await echoServer();
    const answer = await sendRaw(port, bytes);
    expectProblem(answer, status, type);
    // The log line has the correlation id of the answer.
    expect(records.filter(({ msg }) => msg === "request")).toMatchObject([
      { level: "info", status, problem: type, correlation_id: answer.headers["x-correlation-id"] },
    ]);
    expect(answer.headers["connection"]).toBe("close");
  });

  test("answers before it closes when the headers reach 1 MiB", async () => {
    const { port } = await echoServer();
    const chunk = `x-filler: ${"x".repeat(64 * 1024)}\r\n`;
    const answer = await sendRaw(
      port,
      "GET /hello HTTP/1.1\r\nhost: x\r\n",
      ...Array.from({ length: 16 }, () => chunk),
    );
    expectProblem(answer, 431, "PayloadTooLarge");
  });

  test("rejects a malformed chunk in the middle of a body", async () => {
    const { port } = await echoServer();
    const start = head([
      "POST /echo HTTP/1.1",
      "host: x",
      "content-type: application/json",
      "transfer-encoding: chunked",
    ]);
    expectProblem(await sendRaw(port, start, '2\r\n{"\r\nnonsense\r\n'), 400, "BadRequest");
  });

  test("rejects a request without Host", async () => {
    const { port } = await echoServer();
    const answer = await sendRaw(port, head(["GET /hello HTTP/1.1", "connection: close"]));
    expectProblem(answer, 400, "BadRequest");
  });
});

describe("unusual but valid requests", () => {
  test.each([
    ["HTTP/1.0 without a Host", head(["GET /hello HTTP/1.0"])],
    ["a whole URL", head(["GET http://x/hello HTTP/1.1", "host: x", "connection: close"])],
    ["an unknown expectation", head(["GET /hello HTTP/1.1", "host: x", "expect: wonders", "connection: close"])],
    [
      "an upgrade that is not offered",
      head(["GET /hello HTTP/1.1", "host: x", "connection: close, upgrade", "upgrade: h2c"]),
    ],
    ["a version of the route", head(["GET /hello HTTP/1.1", "host: x", "accept-version: 2.x", "connection: close"])],
  ])("%s", async (_name, bytes) => {
    const { port } = await echoServer();
    const answer = await sendRaw(port, bytes);
    expect([answer.status, answer.headers["x-correlation-id"]]).toEqual([200, expect.any(String)]);
  });

  test("OPTIONS * is 404", async () => {
    const { port } = await echoServer();
    const answer = await sendRaw(port, head(["OPTIONS * HTTP/1.1", "host: x", "connection: close"]));
    expectProblem(answer, 404, "ResourceNotFound");
  });
});

test("Expect: 100-continue › gets the continue, then the answer", async () => {
  const { port } = await echoServer();
  const request = httpRequest({
    port,
    host: "127.0.0.1",
    path: "/echo",
    method: "POST",
    headers: { expect: "100-continue", "content-type": "application/json", "content-length": 7 },
  });
  request.flushHeaders();
  await once(request, "continue");
  request.end('{"a":1}');
  const [response] = (await once(request, "response")) as [NodeJS.ReadableStream & { statusCode: number }];
  response.resume();
  expect(response.statusCode).toBe(200);
});

test("excess bytes after Content-Length › are rejected as a request of their own after the answer", async () => {
  const { port } = await echoServer();
  const start = head(["POST /echo HTTP/1.1", "host: x", "content-type: application/json", "content-length: 7"]);
  const answer = await sendRaw(port, `${start}{"a":1}surplus`);
  expect(answer.status).toBe(200);
  const second = answer.body.slice('{"a":1}'.length);
  expect(answer.body).toBe(`{"a":1}${second}`);
  expectProblem(parseAnswer(second), 404, "ResourceNotFound");
});

test("a client that disconnects in the middle of its body › is logged at info without an error", async () => {
  const { app, records } = createTestApp();
  const begun = Promise.withResolvers<void>();
  app.addHook("preParsing", (_request, _reply, payload, done) => {
    begun.resolve();
    done(null, payload);
  });
  app.post("/echo", { schema: { body: z.object({}) } }, () => "never");
  const socket = connect(await listening(app), "127.0.0.1");
  socket.write(`${head(["POST /echo HTTP/1.1", "host: x", "content-type: application/json", "content-length: 7"])}{"a`);
  await begun.promise;
  socket.destroy();
  const line = () => records.find((record) => record["msg"] === "request");
  await expect.poll(line).toMatchObject({ level: "info", aborted: true, route: "/echo" });
  expect(records.filter((record) => record["level"] === "error")).toEqual([]);
});

describe("bodies over the limit", () => {
  const large = Buffer.alloc(8 * MEBIBYTE, "x");

  test("413 when Content-Length announces it", async () => {
    const { port } = await echoServer();
    const start = head([
      "POST /echo HTTP/1.1",
      "host: x",
      "content-type: application/json",
      `content-length: ${large.length}`,
    ]);
    const answer = await sendRaw(port, start, large);
    expectProblem(answer, 413, "PayloadTooLarge");
    expect(answer.headers["connection"]).toBe("close");
  });

  test("413 when chunks never end", async () => {
    const { port } = await echoServer();
    const start = head([
      "POST /echo HTTP/1.1",
      "host: x",
      "content-type: application/json",
      "transfer-encoding: chunked",
    ]);
    const chunk = Buffer.concat([Buffer.from("100000\r\n"), Buffer.alloc(MEBIBYTE, "x"), Buffer.from("\r\n")]);
    const answer = await sendRaw(port, start, ...Array.from({ length: 8 }, () => chunk), "0\r\n\r\n");
    expectProblem(answer, 413, "PayloadTooLarge");
  });

  test("413 reaches a client that sends everything before it reads", async () => {
    const { port } = await echoServer();
    const response = await fetch(`http://127.0.0.1:${port}/echo`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: large,
    });
    const body = await response.text();
    expectProblem(
      { status: response.status, headers: Object.fromEntries(response.headers), body },
      413,
      "PayloadTooLarge",
    );
  });

  test("accepts a body of exactly the limit", async () => {
    const { port } = await echoServer();
    const body = `{"a":"${"x".repeat(16 * 1024 - 8)}"}`;
    expect(Buffer.byteLength(body)).toBe(16 * 1024);
    const headers = { "content-type": "application/json" };
    const response = await fetch(`http://127.0.0.1:${port}/echo`, { method: "POST", headers, body });
    expect(response.status).toBe(200);
    await response.arrayBuffer();
  });
});

test("a client that disconnects during the handler › lets the handler finish and is logged", async () => {
  const { app, records } = createTestApp();
  const entered = Promise.withResolvers<void>();
  const proceed = Promise.withResolvers<void>();
  app.get("/slow", async () => {
    entered.resolve();
    await proceed.promise;
    return "too late";
  });
  const port = await listening(app);
  const socket = connect(port, "127.0.0.1");
  socket.write(head(["GET /slow HTTP/1.1", "host: x"]));
  await entered.promise;
  socket.destroy();
  const line = () => records.find((record) => record["msg"] === "request");
  await expect.poll(line).toMatchObject({ level: "info", aborted: true, route: "/slow" });
  proceed.resolve();
  expect(records.filter((record) => record["level"] === "error")).toEqual([]);
});
