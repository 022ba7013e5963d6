import { type EventEnvelope, eventEnvelope } from "@gatehouse/contracts";

const decoder = new TextDecoder("utf-8", { fatal: true });

/** The envelope of a message; undefined when it is no event. The data in it are not looked at: they may be what is wrong with it. */
export function readEnvelope(payload: Uint8Array): EventEnvelope | undefined {
  try {
    return eventEnvelope.safeParse(JSON.parse(decoder.decode(payload))).data;
  } catch {
    return undefined;
  }
}
