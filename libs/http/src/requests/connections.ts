import type { FastifyInstance } from "fastify";
import type { Socket } from "node:net";
import type { App } from "../app.ts";

declare module "fastify" {
  interface FastifyInstance {
    /** Those that are open, which node:http keeps to itself. */
    readonly connections: ReadonlySet<Socket>;
  }
}

/** Lets the app know its connections. */
export function keepConnections(app: App): void {
  const connections = new Set<Socket>();
  app.server.on("connection", (socket: Socket) => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
  });
  (app as FastifyInstance).decorate("connections", connections);
}
