import { parseTraceparent, type SpanDescription } from "@gatehouse/observability";
import type { MsgHdrs } from "@nats-io/nats-core";
import { type Attributes, SpanKind } from "@opentelemetry/api";
import { REPLAY_HEADERS } from "../dead-letters/letter-headers.ts";
import { messageAttributes } from "./message-attributes.ts";

interface Processing {
  readonly message: { readonly subject: string; readonly sequence: number; readonly headers: MsgHdrs | undefined };
  /** What the message holds; undefined when it is no event. */
  readonly event: { readonly id: string; readonly traceparent?: string | undefined } | undefined;
  /** Who processes it: the durable consumer's name, where it is one. */
  readonly group: string;
  /** What else is known of it. */
  readonly attributes?: Attributes;
}

/**
 * The CONSUMER span of a message that is processed, and the `traceparent` that it goes on with: that of the publish, which the message has
 * in its headers, else the event's own, where somebody published without. Its link leads to the request in which the event
 * came to be.
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
