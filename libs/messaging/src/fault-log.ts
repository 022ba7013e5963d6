import type { Logger } from "@gatehouse/observability";

/** Logs the first failure of a row of failures and the end of the row, so that an outage is two lines and not one a second. */
export interface FaultLog {
  failed(error: unknown): void;
  worked(): void;
}

export function createFaultLog(logger: Logger, what: string): FaultLog {
  let failing = false;
  return {
    failed(error) {
      if (!failing) logger.warn({ err: error }, `${what} fails, trying on`);
      failing = true;
    },
    worked() {
      if (failing) logger.info(`${what} works again`);
      failing = false;
    },
  };
}
