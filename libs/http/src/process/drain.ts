import { Server } from "node:net";
import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";
import type { App } from "../app.ts";

const POLL_MILLISECONDS = 50;
// Of the grace; the rest is for who connected at the last moment.
const LISTENING_SHARE = 2 / 3;
// Within it whoever asks is told that this process leaves, and does not come back.
const NOTICE_MILLISECONDS = 1_000;

export interface DrainOptions {
  readonly graceMilliseconds: number;
  /** Another process accepts connections at the same address already: this one stops doing so at once, and is not missed. */
  readonly hasSuccessor?: boolean;
  /**
   * Connections come from a supervisor, which drops those that are on their way when its last worker stops listening. So this one listens
   * for a while also when it has none.
   */
  readonly isWorker?: boolean;
}

/**
 * Closes the app without failing a request. First it goes on serving for up to `graceMilliseconds`, unready and with
 * `connection: close` on every answer, until no connection is left: closing a kept-alive connection outright could
 * meet a request that is on its way over it. Nor does it accept connections to the end of that time, since each new one brings a
 * request. Then it drops idle connections, and waits for the requests that are being served.
 */
export async function drain(
  app: App,
  { graceMilliseconds, hasSuccessor = false, isWorker = false }: DrainOptions,
): Promise<void> {
  app.setDraining({ isReady: hasSuccessor });
  const begun = performance.now();
  if (!hasSuccessor) {
    if (isWorker) await delay(Math.min(NOTICE_MILLISECONDS, graceMilliseconds));
    await untilNobodyIsConnected(app, begun + graceMilliseconds * LISTENING_SHARE);
  }
  await stopListening(app);
  await untilNobodyIsConnected(app, begun + graceMilliseconds);
  // Node drops the connections that are idle when it closes, not those that become so afterwards.
  const reaper = setInterval(() => dropIdleConnections(app), POLL_MILLISECONDS);
  try {
    await app.close();
  } finally {
    clearInterval(reaper);
  }
}

async function untilNobodyIsConnected(app: App, deadline: number): Promise<void> {
  while (performance.now() < deadline && app.connections.size > 0) await delay(POLL_MILLISECONDS);
}

/**
 * Between two short turns of the event loop: the first does what has piled up, the second accepts who came meanwhile. The system
 * resets whoever still waits to be accepted when the socket is closed, with a request that may have been sent.
 */
async function stopListening(app: App): Promise<void> {
  await nextTurn();
  await nextTurn();
  // As close of node:http, but for the idle connections, which that drops.
  Server.prototype.close.call(app.server);
}

function dropIdleConnections(app: App): void {
  app.server.closeIdleConnections();
  // To Node a connection over which nothing ever came is one whose request is arriving.
  for (const socket of app.connections) if (socket.bytesRead === 0) socket.destroy();
}
