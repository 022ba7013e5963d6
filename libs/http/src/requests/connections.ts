import type { FastifyInstance } from "fastify";
import type { Socket } from "node:net";
import type { App } from "../app.ts";

declare module "fastify" {
  interface FastifyInstance {
    /** The open connections; node:http does not expose them. */
    readonly connections: ReadonlySet<Socket>;
  }
}

/** Keeps the set of open connections in `app.connections`. */
export function keepConnections(app: App): void {
  const connections = new Set<Socket>();
  app.server.on("connection", (socket: Socket) => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
  });
  (app as FastifyInstance).decorate("connections", connections);
}
