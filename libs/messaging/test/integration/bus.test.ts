import type { RestartableServer } from "@gatehouse/local-stack";
import { createTestBus } from "@gatehouse/test-kit";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect as dial, createServer, type Server, type Socket } from "node:net";
import { STREAMS } from "@gatehouse/contracts";
import { connectBus, ensureStreams } from "@gatehouse/messaging";
import type { NatsConnection } from "@nats-io/nats-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { managerOf } from "../../src/streams.ts";
import { connected, createCleanup, logger } from "../fixtures/messaging.ts";

let server: RestartableServer;
const cleanup = createCleanup();
beforeAll(async () => {
  server = await createTestBus();
});
afterEach(() => cleanup.run());
afterAll(() => server.stop());

function connect(url = server.url) {
  const bus = connectBus({ url, name: "test", logger });
  cleanup.defer(() => bus.close());
  return bus;
}

describe("connectBus", () => {
  test("has no connection without a server, connects when one starts, and calls listeners with each connection", async () => {
    await server.stop();
    const bus = connect();
    const heard: NatsConnection[] = [];
    bus.onConnected((connection) => heard.push(connection));
    bus.onConnected(() => {
      throw new Error("a listener's bug");
    });
    expect([bus.isConnected(), bus.connection()]).toEqual([false, undefined]);
    await expect(ensureStreams(bus, [STREAMS.auth], 1)).rejects.toThrow("not connected");
    await server.start();
    const first = await connected(bus);
    await server.restart();
    await expect.poll(() => heard.length).toBe(2);
    expect(heard[0]).toBe(first);
    expect(first.isClosed()).toBe(true);
    expect(bus.connection()).toBe(heard[1]);
  });

  test("calls a late listener with the current connection, and an unsubscribed one with none", async () => {
    const bus = connect();
    const connection = await connected(bus);
    const heard: NatsConnection[] = [];
    const unsubscribe = bus.onConnected((one) => heard.push(one));
    expect(heard).toEqual([connection]);
    unsubscribe();
    await server.restart();
    await connected(bus);
    expect(heard).toHaveLength(1);
  });

  test("fails a pending request at once when the server stops", async () => {
    const bus = connect();
    const connection = await connected(bus);
    connection.subscribe("echo");
    const pending = connection.request("echo", "", { timeout: 60_000 });
    const outcome = pending.then(
      () => "answered",
      () => "failed",
    );
    await server.restart();
    expect(await outcome).toBe("failed");
  });

  test("replaces the connection to a server that hangs", async () => {
    const hanging = await hangingProxy();
    const bus = connect(`nats://127.0.0.1:${hanging.port}`);
    const connection = await connected(bus);
    hanging.hang();
    await connection.closed();
    expect(bus.isConnected()).toBe(false);
  });

  test("stops connecting when it is closed", async () => {
    await server.stop();
    const bus = connect();
    await bus.close();
    await server.start();
    expect(bus.isConnected()).toBe(false);
  });
});

describe("ensureStreams", () => {
  test("works in several processes at once, repeatedly, and with a changed definition", async () => {
    const connections = [await connected(connect()), await connected(connect())];
    const all = Object.values(STREAMS);
    await Promise.all(connections.map((connection) => ensureStreams(connection, all, 1)));
    const changed = { ...STREAMS.auth, maxAgeMs: 3_600_000, subjects: ["auth.>", "more.>"] };
    await Promise.all(connections.map((connection) => ensureStreams(connection, [changed], 1)));
    const manager = await managerOf(connections[0] as NatsConnection);
    const { config } = await manager.streams.info("AUTH_EVENTS");
    expect(config).toMatchObject({ max_age: 3_600e9, duplicate_window: 120e9, subjects: ["auth.>", "more.>"] });
    expect(config).toMatchObject({ storage: "file", retention: "limits", discard: "old", num_replicas: 1 });
    expect(await manager.streams.names().next()).toEqual(["AUTH_EVENTS", "DEAD_LETTERS", "USER_EVENTS"]);
  });
});

/** A process with nothing but a bus, which it closes at the second connection; it prints the bus's log. */
const ONLY_A_BUS = `
  import { connectBus } from "@gatehouse/messaging";
  import { createLogger } from "@gatehouse/observability";
  const bus = connectBus({ url: process.env.NATS_URL, name: "test", logger: createLogger({ service: "test", level: "info" }) });
  let connections = 0;
  bus.onConnected(() => { if (++connections === 2) void bus.close().then(() => console.log("closed at the second")); });`;

test("connectBus keeps a process alive while NATS is down, before and after the first connection", async () => {
  await server.stop();
  const child = spawn(process.execPath, ["--input-type=module", "--eval", ONLY_A_BUS], {
    cwd: import.meta.dirname,
    env: { ...process.env, NATS_URL: server.url },
    stdio: ["ignore", "pipe", "inherit"],
  });
  cleanup.defer(async () => void child.kill("SIGKILL"));
  const ended = once(child, "exit");
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  await expect.poll(() => said).toContain('"level":"warn"');
  await server.start();
  await expect.poll(() => said).toContain("connected to NATS");
  await server.restart();
  expect(await ended).toEqual([0, null]);
  expect(said).toContain("closed at the second");
});

/** A proxy that forwards everything until `hang`, then nothing, with its sockets open. */
async function hangingProxy() {
  const sockets: Socket[] = [];

  const proxy: Server = createServer((client) => {
    const upstream = dial(server.port, "127.0.0.1");
    client.pipe(upstream).pipe(client);
    sockets.push(client, upstream);
    for (const socket of [client, upstream]) socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  cleanup.defer(async () => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  return {
    port: (proxy.address() as { port: number }).port,
    hang: () => {
      for (const socket of sockets) {
        socket.unpipe();
        socket.pause();
      }
    },
  };
}
