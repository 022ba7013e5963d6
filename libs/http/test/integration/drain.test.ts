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

/** A thread that asks for /health, raises the flag as soon as that is sent, and posts what comes back. */
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

describe("what happens when an app drains", () => {
  test("without connections it ends at once, whatever the grace", async () => {
    const { app } = createTestApp();
    await listening(app);
    await drain(app, { graceMs: LONG });
    expect(app.server.listening).toBe(false);
  });

  test("a worker listens for a while without them: its supervisor may have accepted one for it", async () => {
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

  test("it goes on serving until its last client has left", async () => {
    const { app } = createTestApp();
    const socket = connect(await listening(app), "127.0.0.1");
    await once(socket, "connect");
    const drained = drain(app, { graceMs: LONG });
    socket.write("GET /health HTTP/1.1\r\nhost: x\r\n\r\n");
    const [chunk] = (await once(socket, "data")) as [Buffer];
    expect(chunk.toString()).toMatch(/^HTTP\/1\.1 200 [^]*connection: close/i);
    await drained;
  });

  test("a request that arrives while the process is held up beyond the grace is answered", async () => {
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

  test("a connection over which nothing ever came does not keep it", async () => {
    const { app } = createTestApp();
    const silent = connect(await listening(app), "127.0.0.1");
    await once(silent, "connect");
    await Promise.all([once(silent, "close"), drain(app, { graceMs: 100 })]);
  });

  test("a connection whose answer had begun before is closed when it becomes idle", async () => {
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

describe("what happens when an app cannot listen: the error names host and port, and the reason", () => {
  test("the port is taken", async () => {
    const { app: first } = createTestApp();
    const port = await listening(first);
    const { app } = createTestApp();
    await expect(listen(app, "test", "127.0.0.1", port)).rejects.toThrow(
      new OperatorError(`cannot listen on 127.0.0.1:${port}: the port is taken by another process`),
    );
  });

  test("the address is another machine's", async () => {
    const { app } = createTestApp();
    await expect(listen(app, "test", "192.0.2.1", 0)).rejects.toThrow(
      /192\.0\.2\.1:0: this machine does not have the address/,
    );
  });

  test("and otherwise it listens", async () => {
    const { app } = createTestApp();
    await listen(app, "test", "127.0.0.1", 0);
    expect((app.server.address() as AddressInfo).port).toBeGreaterThan(0);
  });
});
