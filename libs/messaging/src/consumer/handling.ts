import { EventFormatError, type EventSubject, type GatehouseEvent, isEventSubject } from "@gatehouse/contracts";
import type { Logger } from "@gatehouse/observability";
import { jetstream } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import type { Backoff } from "../backoff.ts";
import { deadLetter, describeError } from "../dead-letters/dead-letter.ts";
import { isReplayForAnother } from "../dead-letters/replay-message.ts";
import type { Delivered } from "../jetstream/delivered.ts";
import { createEventCounter, type EventOutcome } from "./consumer-metrics.ts";
import type { EventHandler, EventHandlers } from "./event-handler.ts";
import type { FailureCounter } from "./failure-counter.ts";
import { isInfrastructureError } from "./infrastructure-error.ts";
import { createProcessRecorder, type ProcessResult } from "./process-recorder.ts";
import { readEvent } from "./read-event.ts";

/** After this number of counted failures a message becomes a dead letter. */
const MAX_FAILURES = 6;
const LETTER_TIMEOUT_MS = 2_000;
const LETTER_RETRY_MS = 5_000;

interface HandlingDeps {
  readonly durable: string;
  readonly handlers: EventHandlers;
  readonly failures: FailureCounter;
  readonly backoff: Backoff;
  readonly retryDelay: (failures: number) => number;
  readonly connection: () => NatsConnection | undefined;
  readonly logger: Logger;
}

export interface Handling {
  /** Handles one message: acknowledges it, asks for a retry, or writes a dead letter. Never throws. */
  handle(message: Delivered): Promise<void>;
  counts(): { handled: number; failed: number; deadLettered: number };
}

export function createHandling(deps: HandlingDeps): Handling {
  const { backoff, connection, durable, failures, handlers, logger, retryDelay } = deps;
  const counts = { handled: 0, failed: 0, dead_lettered: 0 };
  const measure = createEventCounter(durable);
  const record = createProcessRecorder(durable);

  function count({ subject }: Delivered, outcome: EventOutcome): void {
    counts[outcome] += 1;
    measure(subject, outcome);
  }

  async function handle(message: Delivered): Promise<void> {
    const handler = handlerFor(handlers, message.subject);
    if (handler === undefined || isReplayForAnother(durable, message.headers)) return message.ack();
    const event = readOrError(message);
    const attempt = failures.failures(message.sequence) + 1;
    if (event instanceof Error)
      await record({ message, event: undefined, attempt }, () => rejectInvalid(message, event));
    else await record({ message, event, attempt }, () => runHandler(handler, event, message, attempt));
  }

  /** An invalid event is not retried: it stays invalid. */
  function rejectInvalid(message: Delivered, error: Error): Promise<ProcessResult> {
    count(message, "failed");
    return writeDeadLetter(message, failures.failed(message.sequence), error);
  }

  async function runHandler(
    handler: EventHandler<EventSubject>,
    event: GatehouseEvent,
    message: Delivered,
    attempt: number,
  ): Promise<ProcessResult> {
    const { stream, sequence, storedAt } = message;
    try {
      await handler(event, { stream, sequence, storedAt, attempt });
    } catch (error) {
      return await scheduleRetry(message, event, error);
    }
    message.ack();
    failures.forget(sequence);
    backoff.succeeded();
    count(message, "handled");
    return { outcome: "handled" };
  }

  async function scheduleRetry(message: Delivered, event: GatehouseEvent, error: unknown): Promise<ProcessResult> {
    const facts = { durable, subject: message.subject, event_id: event.id, sequence: message.sequence };
    if (isInfrastructureError(error)) {
      const pauseMs = backoff.failed(performance.now());
      logger.warn({ ...facts, reason: describeError(error), pause_ms: Math.round(pauseMs) }, "consumer paused");
      message.nak(pauseMs);
      return { outcome: "paused", error };
    }
    const attempts = failures.failed(message.sequence);
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
      logger.warn({ durable, subject: message.subject, err: cause }, "writing a dead letter failed, retrying");
      message.nak(LETTER_RETRY_MS);
      return { outcome: "failed", error };
    }
    message.ack();
    failures.forget(message.sequence);
    count(message, "dead_lettered");
    const { sequence, subject } = message;
    const next = `pnpm ops events dead --consumer ${durable} (docs/operations/runbooks/dead-letters.md)`;
    logger.error({ durable, subject, sequence, attempts, err: error, next }, "event became a dead letter");
    return { outcome: "dead_lettered", error };
  }

  return {
    handle,
    counts: () => ({ handled: counts.handled, failed: counts.failed, deadLettered: counts.dead_lettered }),
  };
}

function handlerFor(handlers: EventHandlers, subject: string): EventHandler<EventSubject> | undefined {
  // The event catalog ties each subject to its handler; readEvent checks that type and subject are equal.
  return isEventSubject(subject) ? (handlers[subject] as EventHandler<EventSubject> | undefined) : undefined;
}

function readOrError(message: Delivered): GatehouseEvent | Error {
  try {
    return readEvent(message);
  } catch (error) {
    return error instanceof Error ? error : new EventFormatError("unreadable");
  }
}
