import { EventFormatError, type EventSubject, type GatehouseEvent, isEventSubject } from "@gatehouse/contracts";
import type { Logger } from "@gatehouse/observability";
import { jetstream } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { deadLetter, describeError } from "../dead-letters/dead-letter.ts";
import { isReplayForAnother } from "../dead-letters/replay-message.ts";
import type { Delivered } from "../jetstream/delivered.ts";
import type { Breather } from "./breather.ts";
import { createEventCounter, type EventOutcome } from "./consumer-metrics.ts";
import type { EventHandler, EventHandlers } from "./event-handler.ts";
import type { FailureCounter } from "./failure-counter.ts";
import { createProcessRecorder, type ProcessResult } from "./process-recorder.ts";
import { readEvent } from "./read-event.ts";

/** Counted failures after which a message goes to the dead letters. */
const MAX_FAILURES = 6;
const LETTER_TIMEOUT_MS = 2_000;
const LETTER_RETRY_MS = 5_000;

interface HandlingOptions {
  readonly durable: string;
  readonly handlers: EventHandlers;
  readonly failures: FailureCounter;
  readonly breather: Breather;
  readonly isTransient: (error: unknown) => boolean;
  readonly retryDelay: (failures: number) => number;
  readonly connection: () => NatsConnection | undefined;
  readonly logger: Logger;
}

export interface Handling {
  /** Sees one message to its end: acknowledged, put off, or dead. Never throws. */
  handle(message: Delivered): Promise<void>;
  counts(): { handled: number; failed: number; deadLettered: number };
}

export function createHandling(options: HandlingOptions): Handling {
  const { breather, durable, failures, handlers, logger } = options;
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
    const event = tryToRead(message);
    const attempt = failures.failures(message.sequence) + 1;
    if (event instanceof Error) await record({ message, event: undefined, attempt }, () => giveUpOn(message, event));
    else await record({ message, event, attempt }, () => runHandler(handler, event, message, attempt));
  }

  /** The message is no event of ours: trying again would not make it one. */
  function giveUpOn(message: Delivered, error: Error): Promise<ProcessResult> {
    count(message, "failed");
    return bury(message, failures.failed(message.sequence), error);
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
      return await putOff(message, event, error);
    }
    message.ack();
    failures.forget(sequence);
    breather.worked();
    count(message, "handled");
    return { outcome: "handled" };
  }

  async function putOff(message: Delivered, event: GatehouseEvent, error: unknown): Promise<ProcessResult> {
    const facts = { durable, subject: message.subject, event_id: event.id, sequence: message.sequence };
    if (options.isTransient(error)) {
      const rest = breather.failed(performance.now());
      logger.warn({ ...facts, reason: describeError(error), pause_ms: Math.round(rest) }, "consumer pauses");
      message.nak(rest);
      return { outcome: "paused", error };
    }
    const attempts = failures.failed(message.sequence);
    count(message, "failed");
    // The stack once, not with every try.
    const cause = attempts === 1 ? { err: error } : { reason: describeError(error) };
    logger.warn({ ...facts, attempt: attempts, ...cause }, "event handler failed");
    if (attempts >= MAX_FAILURES) return await bury(message, attempts, error);
    message.nak(options.retryDelay(attempts));
    return { outcome: "failed", error };
  }

  /** To the dead letters, and only then out of the consumer. */
  async function bury(message: Delivered, attempts: number, error: unknown): Promise<ProcessResult> {
    const letter = deadLetter(durable, message, attempts, error);
    try {
      const connection = options.connection();
      if (connection === undefined) throw new Error("NATS is not connected");
      await jetstream(connection).publish(letter.subject, letter.payload, {
        msgID: letter.msgID,
        headers: letter.headers,
        timeout: LETTER_TIMEOUT_MS,
      });
    } catch (cause) {
      logger.warn({ durable, subject: message.subject, err: cause }, "a dead letter could not be written, trying on");
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
  // The catalogue ties each subject to its handler's event; readEvent has checked that type and subject agree.
  return isEventSubject(subject) ? (handlers[subject] as EventHandler<EventSubject> | undefined) : undefined;
}

function tryToRead(message: Delivered): GatehouseEvent | Error {
  try {
    return readEvent(message);
  } catch (error) {
    return error instanceof Error ? error : new EventFormatError("unreadable");
  }
}
