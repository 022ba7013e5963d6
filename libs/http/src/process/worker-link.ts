import cluster from "node:cluster";
import { once } from "node:events";
import type { Server } from "node:http";
import { randomInt } from "node:crypto";
import type { WorkerSettings } from "@gatehouse/config";
import { READY, RETIRE, WORN_OUT } from "./worker-messages.ts";

/** A worker's side of its supervisor. */
export interface WorkerLink {
  /** Settles when this worker must end: a successor has taken over, or the supervisor is gone. */
  readonly end: Promise<"retired" | "orphaned">;
  /** Tells the supervisor that this worker accepts connections. */
  reportReady(): void;
  /** Asks the supervisor for a successor once the server has got as many requests as this worker may serve. */
  countRequests(server: Server): void;
  /**
   * Ends the tie, when this worker listens no more: resolves when no connection can come from the supervisor any longer. One that
   * it had handed over meanwhile is given back, and another worker gets it.
   */
  leave(): Promise<void>;
}

/** The link of this process, or undefined when it is no worker. */
export function createWorkerLink({ maxRequests, maxRequestsJitter }: WorkerSettings): WorkerLink | undefined {
  const { worker } = cluster;
  if (worker === undefined) return undefined;
  const { promise: end, resolve } = Promise.withResolvers<"retired" | "orphaned">();
  process.on("message", (message) => {
    if (message === RETIRE) resolve("retired");
  });
  worker.on("disconnect", () => {
    if (worker.exitedAfterDisconnect) return;
    // Node would exit at once, with the requests that are being served; this is how it is told that we see to it.
    worker.exitedAfterDisconnect = true;
    resolve("orphaned");
  });
  const tell = (message: string) => void (worker.isConnected() && worker.send(message));
  return {
    end,
    reportReady: () => tell(READY),
    countRequests(server) {
      if (maxRequests === 0) return;
      let left = maxRequests + randomInt(maxRequestsJitter + 1);
      server.on("request", () => {
        left -= 1;
        if (left === 0) tell(WORN_OUT);
      });
    },
    async leave() {
      if (!worker.isConnected()) return;
      const left = once(worker, "disconnect");
      worker.disconnect();
      await left;
    },
  };
}
