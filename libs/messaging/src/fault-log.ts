import type { Logger } from "@gatehouse/observability";
import { isStreamNotFound, wantsMoreServers } from "./streams.ts";

/** Logs the first failure of a series and its end, so that an outage is two lines and not one a second. */
export interface FaultLog {
  failed(error: unknown): void;
  succeeded(): void;
}

export interface FaultLogDeps {
  readonly logger: Logger;
  /** What is retried; every line begins with it. */
  readonly task: string;
}

const MORE_SERVERS = "NATS_STREAM_REPLICAS asks for more copies than there are servers";

export function createFaultLog({ logger, task }: FaultLogDeps): FaultLog {
  let failing = false;

  function report(error: unknown): void {
    // Not a fault: at a system's first start each stream is created by its owner, which may start later.
    if (isStreamNotFound(error)) logger.info(`${task} is waiting for its stream`);
    else if (wantsMoreServers(error)) logger.error({ err: error }, `${task} failed, retrying: ${MORE_SERVERS}`);
    else logger.warn({ err: error }, `${task} failed, retrying`);
  }

  return {
    failed(error) {
      if (!failing) report(error);
      failing = true;
    },
    succeeded() {
      if (failing) logger.info(`${task} recovered`);
      failing = false;
    },
  };
}
