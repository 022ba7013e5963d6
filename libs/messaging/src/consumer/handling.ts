import { EventFormatError, type EventSubject, type GatehouseEvent, isEventSubject } from "@gatehouse/contracts";
import { isReplayForAnother } from "../dead-letters/replay-message.ts";
import type { Delivered } from "../jetstream/delivered.ts";
import { createEventCounter, type EventOutcome } from "./consumer-metrics.ts";
import type { EventHandler, EventHandlers } from "./event-handler.ts";
import { createFailures, type FailuresDeps } from "./failures.ts";
import { createProcessRecorder, type ProcessResult } from "./process-recorder.ts";
import { readEvent } from "./read-event.ts";

interface HandlingDeps extends Omit<FailuresDeps, "count"> {
  readonly handlers: EventHandlers;
}

export interface Handling {
  /** Handles one message: acknowledges it, asks for a retry, or writes a dead letter. Never throws. */
  handle(message: Delivered): Promise<void>;
  counts(): { handled: number; failed: number; deadLettered: number };
}

export function createHandling({ handlers, ...deps }: HandlingDeps): Handling {
  const { backoff, counter, durable } = deps;
  const counts = { handled: 0, failed: 0, dead_lettered: 0 };
  const measure = createEventCounter(durable);
  const record = createProcessRecorder(durable);
  const failures = createFailures({ ...deps, count });

  function count({ subject }: Delivered, outcome: EventOutcome): void {
    counts[outcome] += 1;
    measure(subject, outcome);
  }

  async function handle(message: Delivered): Promise<void> {
    const handler = handlerFor(handlers, message.subject);
    if (handler === undefined || isReplayForAnother(durable, message.headers)) return message.ack();
    const event = readOrError(message);
    const attempt = counter.failures(message.sequence) + 1;
    if (event instanceof Error)
      await record({ message, event: undefined, attempt }, () => failures.invalid(message, event));
    else await record({ message, event, attempt }, () => runHandler(handler, event, message, attempt));
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
      return await failures.handlerFailed(message, event, error);
    }
    message.ack();
    counter.forget(sequence);
    backoff.succeeded();
    count(message, "handled");
    return { outcome: "handled" };
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
