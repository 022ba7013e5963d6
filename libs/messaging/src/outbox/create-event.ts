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
  /** The service that speaks. */
  readonly source: "auth" | "user";
  readonly type: S;
  /** Whom it is about: the user's id (the kid for `auth.key.retired`). */
  readonly subject: string;
  readonly data: EventData<S>;
  /** The id of who did it, where somebody did. */
  readonly actor?: string | undefined;
  /** The subject's version after the change, in this service. */
  readonly version?: number | undefined;
  /** When it happened; now unless given. */
  readonly time?: Date;
}

/**
 * A complete event in the contract's envelope, with the correlation id and the trace of the request at hand.
 * @throws EventFormatError when the data does not fit the schema of its type: a bug of the caller
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
