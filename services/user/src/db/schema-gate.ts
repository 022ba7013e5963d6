import type { Logger } from "@gatehouse/observability";
import { isTransientDatabaseError } from "@gatehouse/database";
import { setTimeout as pause } from "node:timers/promises";

/** Whether the schema is known to have every migration that this build needs. */
export interface SchemaGate {
  isOpen(): boolean;
  /** Waits no longer. */
  close(): Promise<void>;
}

export interface SchemaGateOptions {
  /** Rejects when a migration is missing or the database does not answer. */
  readonly check: () => Promise<void>;
  readonly onOpen: () => void;
  readonly logger: Logger;
  readonly retryMilliseconds?: number;
}

/**
 * Checks the schema once, and goes on in the background while the database is away: a process that starts before its
 * database serves 503 until it comes rather than dying.
 * @throws what the check says of a database that is there and not migrated
 */
export async function openSchemaGate(options: SchemaGateOptions): Promise<SchemaGate> {
  const { check, onOpen, logger, retryMilliseconds = 1_000 } = options;
  const closed = new AbortController();
  let open = false;
  let told: string | undefined;

  function pass(): void {
    open = true;
    onOpen();
  }

  async function retry(): Promise<void> {
    for (;;) {
      try {
        await pause(retryMilliseconds, undefined, { signal: closed.signal });
        await check();
        return closed.signal.aborted ? undefined : pass();
      } catch (error) {
        if (closed.signal.aborted) return;
        if (!isTransientDatabaseError(error)) report(error);
      }
    }
  }

  /** Its message names the command that mends it; once, not with each try. */
  function report(error: unknown): void {
    const reason = String(error);
    if (reason !== told) logger.error({ err: error }, "the schema cannot be used yet, trying on");
    told = reason;
  }

  let waiting: Promise<void> | undefined;
  try {
    await check();
    pass();
  } catch (error) {
    if (!isTransientDatabaseError(error)) throw error;
    logger.warn("the database is away; requests are answered 503 until it comes");
    waiting = retry();
  }
  return {
    isOpen: () => open,
    async close() {
      closed.abort();
      await waiting;
    },
  };
}
