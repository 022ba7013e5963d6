// The process of collector.ts. It understands nothing of what it is sent and keeps nothing, so that it takes little of the cores.
import { createServer, type ServerResponse } from "node:http";
import { createServer as createPlainServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import type { Behaviour } from "./collector.ts";

const SLOW_MS = 30_000;

/** What follows a request whose body is here; who hangs has none. */
const ANSWERS: Record<Exclude<Behaviour, "hanging">, (response: ServerResponse) => void> = {
  healthy: (response) => response.end(),
  refusing: (response) => response.writeHead(503).end(),
  slow: (response) => void setTimeout(() => response.end(), SLOW_MS),
};

const behaviour = process.argv[2] as Behaviour;
if (behaviour === "hanging") hang();
else serve(ANSWERS[behaviour]);

/** Counts the bytes that came by the first part of their path, and tells them to a GET. */
function serve(answer: (response: ServerResponse) => void): void {
  const bytes: Record<string, number> = {};
  const server = createServer((request, response) => {
    if (request.method === "GET") return void response.end(JSON.stringify(bytes));
    const [, sender = ""] = request.url?.split("/") ?? [];
    request.on("data", ({ length }: Uint8Array) => (bytes[sender] = (bytes[sender] ?? 0) + length));
    request.on("end", () => answer(response));
  });
  listen(server);
}

/** Takes no connection: as soon as the short queue is full, the kernel leaves whoever connects without an answer. */
function hang(): void {
  listen(createPlainServer(), () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
}

function listen(server: Server, then: () => void = () => {}): void {
  server.listen({ port: 0, host: "127.0.0.1", backlog: behaviour === "hanging" ? 1 : undefined }, () => {
    console.log((server.address() as AddressInfo).port);
    then();
  });
}
