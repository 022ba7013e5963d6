import { OperatorError } from "@gatehouse/errors";
import type { App } from "../app.ts";

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "another process uses the port",
  EACCES: "this user may not use the port",
  EADDRNOTAVAIL: "the address does not belong to this machine",
  ENOTFOUND: "the host name is unknown",
};

/**
 * Starts to accept connections.
 * @throws OperatorError naming host and port
 */
export async function listen(app: App, name: string, host: string, port: number): Promise<void> {
  try {
    await app.listen({ host, port, listenTextResolver: (address) => `${name} listens on ${address}` });
  } catch (error) {
    const reason = REASONS[(error as NodeJS.ErrnoException).code ?? ""];
    if (!reason) throw error;
    throw new OperatorError(`cannot listen on ${host}:${port}: ${reason}`, { cause: error });
  }
}
