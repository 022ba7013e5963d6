import {
  type EventEnvelope,
  eventEnvelope,
  EventFormatError,
  type GatehouseEvent,
  parseEvent,
} from "@gatehouse/contracts";
import type { Delivered } from "../jetstream/delivered.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Returns the event in a message, validated by its schema.
 * @throws EventFormatError, whose message contains no values
 */
export function readEvent(message: Pick<Delivered, "data" | "subject">): GatehouseEvent {
  const event = parseEvent(parseJson(message.data));
  if (event.type !== message.subject) throw new EventFormatError(`type ${event.type} on another subject`);
  return event;
}

/** Returns the envelope of a message, or undefined when it is not an event. Ignores the event's data, which may be invalid. */
export function readEnvelope(payload: Uint8Array): EventEnvelope | undefined {
  try {
    return eventEnvelope.safeParse(parseJson(payload)).data;
  } catch {
    return undefined;
  }
}

function parseJson(data: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(data));
  } catch {
    // The parser's own message quotes the text.
    throw new EventFormatError("not JSON");
  }
}
