import { EventFormatError, type GatehouseEvent, parseEvent } from "@gatehouse/contracts";
import type { Delivered } from "../jetstream/delivered.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * The event in a message, checked against its schema.
 * @throws EventFormatError, which names no values
 */
export function readEvent(message: Pick<Delivered, "data" | "subject">): GatehouseEvent {
  const event = parseEvent(parseJson(message.data));
  if (event.type !== message.subject) throw new EventFormatError(`type ${event.type} on another subject`);
  return event;
}

function parseJson(data: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(data));
  } catch {
    // The parser's own message quotes the text.
    throw new EventFormatError("not JSON");
  }
}
