import {
  type EventData,
  EventFormatError,
  type EventSubject,
  type GatehouseEvent,
  newId,
  parseEvent,
} from "@gatehouse/contracts";
import { currentContext, formatTraceparent } from "@gatehouse/observability";

export interface NewEvent<S extends EventSubject> {
  /** The service that publishes it. */
  readonly source: "auth" | "user";
  readonly type: S;
  /** The user's id (the kid for `auth.key.retired`). */
  readonly subject: string;
  readonly data: EventData<S>;
  /** The id of the user who caused it; not set when no user did. */
  readonly actor?: string | undefined;
  /** The user's version in this service after the change. */
  readonly version?: number | undefined;
  /** When it happened; default: now. */
  readonly time?: Date;
}

/**
 * Returns a complete event (docs/reference/events.md) with the correlation id and the trace of the current request.
 * @throws EventFormatError when the data does not match the schema of its type, which is a bug of the caller
 */
export function createEvent<S extends EventSubject>(event: NewEvent<S>): GatehouseEvent<S> {
  const context = currentContext();
  const complete = {
    specversion: "1.0",
    id: newId(),
    source: event.source,
    type: event.type,
    subject: event.subject,
    time: (event.time ?? new Date()).toISOString(),
    datacontenttype: "application/json",
    ...(context && { correlationid: context.correlationId, traceparent: formatTraceparent(context.trace) }),
    ...(event.actor !== undefined && { actor: event.actor }),
    ...(event.version !== undefined && { version: event.version }),
    data: event.data,
  };
  const parsed = parseEvent(complete);
  if (parsed.type !== event.type) throw new EventFormatError(`unexpected type ${parsed.type}`);
  return parsed as GatehouseEvent<S>;
}
