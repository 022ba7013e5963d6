import { parseTraceparent, type SpanDescription } from "@gatehouse/observability";
import type { MsgHdrs } from "@nats-io/nats-core";
import { type Attributes, SpanKind } from "@opentelemetry/api";
import { REPLAY_HEADERS } from "../dead-letters/letter-headers.ts";
import { messageAttributes } from "./message-attributes.ts";

interface Processing {
  readonly message: { readonly subject: string; readonly sequence: number; readonly headers: MsgHdrs | undefined };
  /** The event in the message; undefined when it is not an event. */
  readonly event: { readonly id: string; readonly traceparent?: string | undefined } | undefined;
  /** The consumer: the name of the durable, where it is one. */
  readonly group: string;
  /** Further attributes of the span. */
  readonly attributes?: Attributes;
}

/**
 * Returns the CONSUMER span of a message and its parent's `traceparent`: that of the publish, in the message's headers, else the
 * event's own. The span links to the request that caused the event.
 */
export function describeProcessing({ message, event, group, attributes }: Processing): {
  readonly traceparent: string | undefined;
  readonly span: SpanDescription;
} {
  const { headers, sequence, subject } = message;
  const publish = headers?.get("traceparent") || undefined;
  const origin = parseTraceparent(event?.traceparent);
  const replays = Number(headers?.get(REPLAY_HEADERS.count) || 0);
  return {
    traceparent: parseTraceparent(publish) ? publish : event?.traceparent,
    span: {
      name: `process ${subject}`,
      kind: SpanKind.CONSUMER,
      links: origin ? [{ context: origin }] : [],
      attributes: {
        ...messageAttributes("process", subject),
        "messaging.operation.type": "process",
        "messaging.consumer.group.name": group,
        "gatehouse.message.sequence": sequence,
        ...(event && { "messaging.message.id": event.id }),
        ...(replays > 0 && { "gatehouse.message.replays": replays }),
        ...attributes,
      },
    },
  };
}
