import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { OperatorError } from "@gatehouse/errors";
import { describe, expect, test } from "vitest";
import { drain } from "../../src/process/drain.ts";
import { listen } from "../../src/process/listen.ts";
import { createTestApp, listening } from "../fixtures/test-app.ts";

const LONG = 60_000;

/** A thread that requests /health, sets the flag once the request is sent, and posts the answer. */
const CLIENT = `
  const { connect } = require("node:net");
  const { parentPort, workerData: { port, sent } } = require("node:worker_threads");
  const socket = connect(port, "127.0.0.1");
  socket.on("data", (chunk) => parentPort.postMessage(String(chunk)));
  socket.on("error", () => undefined).on("close", () => parentPort.postMessage("closed"));
  socket.write("GET /health HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n", () => {
    Atomics.store(sent, 0, 1);
    Atomics.notify(sent, 0);
  });
`;

describe("drain", () => {
  test("ends at once without connections, whatever the grace", async () => {
    const { app } = createTestApp();
    await listening(app);
    await drain(app, { graceMs: LONG });
    expect(app.server.listening).toBe(false);
  });

  test("a worker without connections listens for a second, since its supervisor may have accepted one for it", async () => {
    const { app } = createTestApp();
    const port = await listening(app);
    const drained = drain(app, { graceMs: LONG, isWorker: true });
    for (let turn = 0; turn < 10; turn += 1) await nextTurn();
    const socket = connect(port, "127.0.0.1");
    socket.write("GET /health HTTP/1.1\r\nhost: x\r\n\r\n");
    const [chunk] = (await once(socket, "data")) as [Buffer];
    expect(chunk.toString()).toMatch(/^HTTP\/1\.1 200 [^]*connection: close/i);
    await drained;
  });

  test("serves until the last client disconnects", async () => {
    const { app } = createTestApp();
    const socket = connect(await listening(app), "127.0.0.1");
    await once(socket, "connect");
    const drained = drain(app, { graceMs: LONG });
    socket.write("GET /health HTTP/1.1\r\nhost: x\r\n\r\n");
    const [chunk] = (await once(socket, "data")) as [Buffer];
    expect(chunk.toString()).toMatch(/^HTTP\/1\.1 200 [^]*connection: close/i);
    await drained;
  });

  test("answers a request that arrives while the event loop is blocked beyond the grace", async () => {
    const { app } = createTestApp();
    const port = await listening(app);
    const neighbour = connect(port, "127.0.0.1");
    neighbour.write("GET /health HTTP/1.1\r\nhost: x\r\n\r\n");
    await once(neighbour, "data");
    const graceMs = 200;
    const over = performance.now() + graceMs;
    const drained = drain(app, { graceMs });

    const sent = new Int32Array(new SharedArrayBuffer(4));
    const client = new Worker(CLIENT, { eval: true, workerData: { port, sent } });
    expect(Atomics.wait(sent, 0, 0, 10_000)).toBe("ok");
    while (performance.now() < over);
    expect(await once(client, "message")).toEqual([expect.stringMatching(/^HTTP\/1\.1 200 [^]*connection: close/i)]);
    await drained;
    await client.terminate();
  });

  test("closes a connection that never sent a byte", async () => {
    const { app } = createTestApp();
    const silent = connect(await listening(app), "127.0.0.1");
    await once(silent, "connect");
    await Promise.all([once(silent, "close"), drain(app, { graceMs: 100 })]);
  });

  test("closes a connection once its pending answer is sent", async () => {
    const { app } = createTestApp();
    const finish = Promise.withResolvers<void>();
    app.get("/stream", async (_request, reply) => {
      reply.hijack();
      reply.raw.writeHead(200, { "content-length": 2 }).write("a");
      await finish.promise;
      reply.raw.end("b");
    });
    const socket = connect(await listening(app), "127.0.0.1");
    socket.write("GET /stream HTTP/1.1\r\nhost: x\r\n\r\n");
    await once(socket, "data");
    const drained = drain(app, { graceMs: 0 });
    await expect.poll(() => app.server.listening).toBe(false);
    finish.resolve();
    await drained;
  });
});

describe("listen", () => {
  test("rejects with host, port and reason when another process uses the port", async () => {
    const { app: first } = createTestApp();
    const port = await listening(first);
    const { app } = createTestApp();
    await expect(listen(app, "test", "127.0.0.1", port)).rejects.toThrow(
      new OperatorError(`cannot listen on 127.0.0.1:${port}: another process uses the port`),
    );
  });

  test("rejects with host, port and reason when the address belongs to another machine", async () => {
    const { app } = createTestApp();
    await expect(listen(app, "test", "192.0.2.1", 0)).rejects.toThrow(
      /192\.0\.2\.1:0: the address does not belong to this machine/,
    );
  });

  test("accepts connections otherwise", async () => {
    const { app } = createTestApp();
    await listen(app, "test", "127.0.0.1", 0);
    expect((app.server.address() as AddressInfo).port).toBeGreaterThan(0);
  });
});
