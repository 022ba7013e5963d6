import cluster from "node:cluster";
import { once } from "node:events";

/** A worker's message to its supervisor: it accepts connections. */
export const READY = "gatehouse:ready";

/** A worker's side of its supervisor. */
export interface WorkerLink {
  /** Settles when the supervisor has died. */
  readonly orphaned: Promise<"orphaned">;
  /** Tells the supervisor that this worker accepts connections. */
  reportReady(): void;
  /**
   * Disconnects from the supervisor once this worker no longer listens. Resolves when the supervisor can hand over no more connections.
   * The supervisor gives a connection that was under way to another worker.
   */
  leave(): Promise<void>;
}

/** Returns the link of this process, or undefined when it is no worker. */
export function createWorkerLink(): WorkerLink | undefined {
  const { worker } = cluster;
  if (worker === undefined) return undefined;
  const { promise: orphaned, resolve } = Promise.withResolvers<"orphaned">();
  worker.on("disconnect", () => {
    if (worker.exitedAfterDisconnect) return;
    // Without this flag Node exits at once and cuts the requests that are being served.
    worker.exitedAfterDisconnect = true;
    resolve("orphaned");
  });
  return {
    orphaned,
    reportReady: () => void (worker.isConnected() && worker.send(READY)),
    async leave() {
      if (!worker.isConnected()) return;
      const left = once(worker, "disconnect");
      worker.disconnect();
      await left;
    },
  };
}
