import { headers, type MsgHdrs } from "@nats-io/nats-core";

/** The headers of an event that is published: what CloudEvents' structured mode asks for, and `extra`. */
export function cloudEventHeaders(extra: Readonly<Record<string, string>> = {}): MsgHdrs {
  const all = headers();
  all.set("content-type", "application/cloudevents+json");
  for (const [name, value] of Object.entries(extra)) all.set(name, value);
  return all;
}
