import type { z } from "zod";
import { type EventData, EVENTS, type EventSubject } from "./catalog.ts";
import { type EventEnvelope, eventEnvelope } from "./envelope.ts";

/** One event as it is published. */
export interface GatehouseEvent<S extends EventSubject = EventSubject> extends Omit<EventEnvelope, "type"> {
  readonly type: S;
  readonly data: EventData<S>;
}

/** A message that is not a valid event. The text names paths, never values. */
export class EventFormatError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "EventFormatError";
  }
}

export function isEventSubject(subject: string): subject is EventSubject {
  return Object.hasOwn(EVENTS, subject);
}

/**
 * Validates a parsed message against the envelope and the schema of its type.
 * @throws EventFormatError
 */
export function parseEvent(raw: unknown): GatehouseEvent {
  const envelope = check(eventEnvelope, raw, "envelope");
  if (!isEventSubject(envelope.type)) throw new EventFormatError(`unknown type ${envelope.type}`);
  const { data: schema }: { readonly data: z.ZodType<EventData<EventSubject>> } = EVENTS[envelope.type];
  const data = check(schema, (raw as { data?: unknown }).data, `${envelope.type} data`);
  return { ...envelope, type: envelope.type, data };
}

function check<T extends z.ZodType>(schema: T, value: unknown, what: string): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => `${issue.path.join(".") || "(root)"}: ${issue.message}`);
  throw new EventFormatError(`${what}: ${issues.join("; ")}`);
}
