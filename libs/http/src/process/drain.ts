import { Server } from "node:net";
import { setImmediate as nextTick, setTimeout as delay } from "node:timers/promises";
import type { App } from "../app.ts";

const POLL_MS = 50;
// Share of the grace in which the app still accepts connections; the rest serves clients that connected last.
const LISTENING_SHARE = 2 / 3;
// How long a worker without connections still listens.
const NOTICE_MS = 1_000;

export interface DrainOptions {
  readonly graceMs: number;
  /**
   * The connections come from a supervisor, which drops the ones under way when its last worker stops listening. A worker therefore
   * listens for a second even when it has no connection.
   */
  readonly isWorker?: boolean;
}

/**
 * Closes the app without failing a request. For up to `graceMs` it goes on serving, unready and with `connection: close` on every
 * answer, until no connection is left: to close a kept-alive connection outright could cut a request that is under way. It then stops
 * listening, drops idle connections and waits for the requests that are being served.
 */
export async function drain(app: App, { graceMs, isWorker = false }: DrainOptions): Promise<void> {
  app.setDraining();
  const begun = performance.now();
  if (isWorker) await delay(Math.min(NOTICE_MS, graceMs));
  await untilNoConnection(app, begun + graceMs * LISTENING_SHARE);
  await stopListening(app);
  await untilNoConnection(app, begun + graceMs);
  // Node drops the connections that are idle when it closes, not those that become idle later.
  const reaper = setInterval(() => dropIdleConnections(app), POLL_MS);
  try {
    await app.close();
  } finally {
    clearInterval(reaper);
  }
}

async function untilNoConnection(app: App, deadline: number): Promise<void> {
  while (performance.now() < deadline && app.connections.size > 0) await delay(POLL_MS);
}

/**
 * Stops accepting connections after two turns of the event loop: the first handles pending events, the second accepts the connections
 * that arrived meanwhile. The kernel resets a connection that waits to be accepted when the socket closes, and its request with it.
 */
async function stopListening(app: App): Promise<void> {
  await nextTick();
  await nextTick();
  // As close of node:http, which would also drop idle connections.
  Server.prototype.close.call(app.server);
}

function dropIdleConnections(app: App): void {
  app.server.closeIdleConnections();
  // Node treats a connection that never sent a byte as one whose request is arriving.
  for (const socket of app.connections) if (socket.bytesRead === 0) socket.destroy();
}
