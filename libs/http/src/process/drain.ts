import { Server } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { App } from "../app.ts";

const POLL_MILLISECONDS = 50;

export interface DrainOptions {
  readonly graceMilliseconds: number;
  /** Another process accepts connections at the same address already: this one stops doing so at once, and is not missed. */
  readonly hasSuccessor?: boolean;
}

/**
 * Closes the app without failing a request. First it goes on serving for up to `graceMilliseconds`, unready and with
 * `connection: close` on every answer, until no connection is left: closing a kept-alive connection outright could
 * meet a request that is on its way over it. Then it stops listening, drops idle connections, and waits for the
 * requests that are being served.
 */
export async function drain(app: App, { graceMilliseconds, hasSuccessor = false }: DrainOptions): Promise<void> {
  app.setDraining({ isReady: hasSuccessor });
  // As close of node:http, but for the idle connections, which that drops.
  if (hasSuccessor) Server.prototype.close.call(app.server);
  const deadline = performance.now() + graceMilliseconds;
  while (performance.now() < deadline && (await openConnections(app)) > 0) await delay(POLL_MILLISECONDS);
  // Node drops the connections that are idle when it closes, not those that become so afterwards.
  const reaper = setInterval(() => app.server.closeIdleConnections(), POLL_MILLISECONDS);
  try {
    await app.close();
  } finally {
    clearInterval(reaper);
  }
}

function openConnections(app: App): Promise<number> {
  return new Promise((resolve, reject) => {
    app.server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}
