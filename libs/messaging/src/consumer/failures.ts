import type { GatehouseEvent } from "@gatehouse/contracts";
import type { Logger } from "@gatehouse/observability";
import { jetstream } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import type { Backoff } from "../backoff.ts";
import { deadLetter, describeError } from "../dead-letters/dead-letter.ts";
import type { Delivered } from "../jetstream/delivered.ts";
import type { EventOutcome } from "./consumer-metrics.ts";
import type { FailureCounter } from "./failure-counter.ts";
import { isInfrastructureError } from "./infrastructure-error.ts";
import type { ProcessResult } from "./process-recorder.ts";

/** After this number of counted failures a message becomes a dead letter. */
const MAX_FAILURES = 6;
const LETTER_TIMEOUT_MS = 2_000;
const LETTER_RETRY_MS = 5_000;

export interface FailuresDeps {
  readonly durable: string;
  readonly counter: FailureCounter;
  readonly backoff: Backoff;
  readonly retryDelay: (failures: number) => number;
  readonly connection: () => NatsConnection | undefined;
  readonly count: (message: Delivered, outcome: EventOutcome) => void;
  readonly logger: Logger;
}

/** Decides what follows a failure: a pause, a retry or a dead letter. Never throws. */
export interface Failures {
  /** The message is not a valid event. It is not retried, because it stays invalid. */
  invalid(message: Delivered, error: Error): Promise<ProcessResult>;
  handlerFailed(message: Delivered, event: GatehouseEvent, error: unknown): Promise<ProcessResult>;
}

export function createFailures(deps: FailuresDeps): Failures {
  const { backoff, connection, count, counter, durable, logger, retryDelay } = deps;

  async function handlerFailed(message: Delivered, event: GatehouseEvent, error: unknown): Promise<ProcessResult> {
    const facts = { durable, subject: message.subject, event_id: event.id, sequence: message.sequence };
    if (isInfrastructureError(error)) {
      const pauseMs = backoff.failed(performance.now());
      logger.warn({ ...facts, reason: describeError(error), pause_ms: Math.round(pauseMs) }, "consumer paused");
      message.nak(pauseMs);
      return { outcome: "paused", error };
    }
    const attempts = counter.failed(message.sequence);
    count(message, "failed");
    // Logs the stack once, not with each attempt.
    const cause = attempts === 1 ? { err: error } : { reason: describeError(error) };
    logger.warn({ ...facts, attempt: attempts, ...cause }, "event handler failed");
    if (attempts >= MAX_FAILURES) return await writeDeadLetter(message, attempts, error);
    message.nak(retryDelay(attempts));
    return { outcome: "failed", error };
  }

  /** Acknowledges the message only after its dead letter is stored. */
  async function writeDeadLetter(message: Delivered, attempts: number, error: unknown): Promise<ProcessResult> {
    const { sequence, subject } = message;
    const letter = deadLetter(durable, message, attempts, error);
    try {
      const current = connection();
      if (current === undefined) throw new Error("NATS is not connected");
      await jetstream(current).publish(letter.subject, letter.payload, {
        msgID: letter.msgID,
        headers: letter.headers,
        timeout: LETTER_TIMEOUT_MS,
      });
    } catch (cause) {
      logger.warn({ durable, subject, err: cause }, "writing a dead letter failed, retrying");
      message.nak(LETTER_RETRY_MS);
      return { outcome: "failed", error };
    }
    message.ack();
    counter.forget(sequence);
    count(message, "dead_lettered");
    const next = `pnpm ops events dead --consumer ${durable} (docs/operations/runbooks/dead-letters.md)`;
    logger.error({ durable, subject, sequence, attempts, err: error, next }, "event became a dead letter");
    return { outcome: "dead_lettered", error };
  }

  return {
    invalid(message, error) {
      count(message, "failed");
      return writeDeadLetter(message, counter.failed(message.sequence), error);
    },
    handlerFailed,
  };
}
