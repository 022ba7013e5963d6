import { freePort } from "@gatehouse/local-stack";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer } from "node:net";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

/** A collector that answers at once, with 503, or after 30 s; accepts no connection without refusing it; or does not listen. */
export type Behavior = "healthy" | "refusing" | "slow" | "hanging" | "down";

const SLOW_MS = 30_000;
/** More than the backlog of the hanging collector. */
const CONNECTIONS = 8;

/** Starts a thread that keeps nothing of what it receives. */
export async function startCollector(behavior: Behavior) {
  const worker = behavior === "down" ? undefined : new Worker(new URL(import.meta.url), { workerData: behavior });
  const [port] = worker ? ((await once(worker, "message")) as [number]) : [await freePort()];
  const sockets = Array.from({ length: behavior === "hanging" ? CONNECTIONS : 0 }, () =>
    connect(port, "127.0.0.1").on("error", () => {}),
  );
  const url = `http://127.0.0.1:${port}`;
  return {
    /** For OTEL_EXPORTER_OTLP_ENDPOINT; a sender may append its name. */
    url,
    bytesBySender: async () => (await (await fetch(url)).json()) as Record<string, number>,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await worker?.terminate();
    },
  };
}

if (!isMainThread) listen(workerData as Behavior);

/** Parses nothing, so that it takes little of the cores. */
function listen(behavior: Behavior): void {
  const bytes: Record<string, number> = {};
  const isHanging = behavior === "hanging";
  const http = createServer((request, response) => {
    if (request.method === "GET") return void response.end(JSON.stringify(bytes));
    const [, sender = ""] = request.url?.split("/") ?? [];
    request.on("data", ({ length }: Uint8Array) => (bytes[sender] = (bytes[sender] ?? 0) + length));
    request.on("end", () => {
      if (behavior === "refusing") response.writeHead(503);
      setTimeout(() => response.end(), behavior === "slow" ? SLOW_MS : 0);
    });
  });
  const server = isHanging ? createTcpServer() : http;
  server.listen({ port: 0, host: "127.0.0.1", ...(isHanging && { backlog: 1 }) }, () => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a thread has no origin
    parentPort?.postMessage((server.address() as AddressInfo).port);
    // A blocked event loop accepts nothing. When the backlog is full, the kernel does not answer.
    if (isHanging) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
}
