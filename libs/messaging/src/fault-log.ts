import type { Logger } from "@gatehouse/observability";
import { isStreamNotFound, wantsMoreServers } from "./streams.ts";

/** Logs the first failure of a row of failures and the end of the row, so that an outage is two lines and not one a second. */
export interface FaultLog {
  failed(error: unknown): void;
  worked(): void;
}

const MORE_SERVERS = "NATS_STREAM_REPLICAS asks for more copies than there are servers";

export function createFaultLog(logger: Logger, what: string): FaultLog {
  let failing = false;

  function report(error: unknown): void {
    // No fault: in a system that starts for the first time each stream is made by its owner, who may come later.
    if (isStreamNotFound(error)) logger.info(`${what} waits for its stream`);
    else if (wantsMoreServers(error)) logger.error({ err: error }, `${what} fails, trying on: ${MORE_SERVERS}`);
    else logger.warn({ err: error }, `${what} fails, trying on`);
  }

  return {
    failed(error) {
      if (!failing) report(error);
      failing = true;
    },
    worked() {
      if (failing) logger.info(`${what} works again`);
      failing = false;
    },
  };
}
