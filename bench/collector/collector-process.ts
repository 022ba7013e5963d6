// The process of collector.ts. It parses nothing, so that it takes little of the cores.
import { createServer, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import type { Behavior } from "./collector.ts";

const SLOW_MS = 30_000;

const ANSWERS: Partial<Record<Behavior, (response: ServerResponse) => void>> = {
  healthy: (response) => response.end(),
  refusing: (response) => response.writeHead(503).end(),
  slow: (response) => void setTimeout(() => response.end(), SLOW_MS),
};

/** By the first part of the path. */
const bytes: Record<string, number> = {};
const behavior = process.argv[2] as Behavior;
const isHanging = behavior === "hanging";
const server = isHanging
  ? createTcpServer()
  : createServer((request, response) => {
      if (request.method === "GET") return void response.end(JSON.stringify(bytes));
      const [, sender = ""] = request.url?.split("/") ?? [];
      request.on("data", ({ length }: Uint8Array) => (bytes[sender] = (bytes[sender] ?? 0) + length));
      request.on("end", () => ANSWERS[behavior]?.(response));
    });

server.listen({ port: 0, host: "127.0.0.1", ...(isHanging && { backlog: 1 }) }, () => {
  console.log((server.address() as AddressInfo).port);
  // A blocked event loop accepts nothing. When the backlog is full, the kernel does not answer.
  if (isHanging) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});
