import type { Msg, MsgHdrs } from "@nats-io/nats-core";

/** Where a delivered message stands: what the server puts into its reply subject (JetStream wire API, "ACK reply subject"). */
export interface Position {
  readonly stream: string;
  /** In the stream. */
  readonly sequence: number;
  /** In the consumer: consecutive from 1, one a delivery. */
  readonly deliverySequence: number;
  /** How often the server has delivered it to the consumer, this time included. */
  readonly deliveries: number;
  /** By the server's clock, nanoseconds since 1970. */
  readonly storedNanos: string;
  readonly storedAt: Date;
  /** How many more the consumer has for us. */
  readonly pending: number;
}

/** One message as a consumer got it. */
export interface Delivered extends Position {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers: MsgHdrs | undefined;
  /** Done: never again. */
  ack(): void;
  /** Again, after so many milliseconds. */
  nak(delayMs: number): void;
  /** Still at it: the acknowledgement wait starts over. */
  working(): void;
}

const NANOS = 1_000_000;

/** @param alive false once nothing must be acknowledged any more, because the consumer may have been replaced by one of the same name */
export function delivered(message: Msg, alive: () => boolean): Delivered {
  function respond(payload: string): void {
    if (alive()) message.respond(payload);
  }
  return {
    ...parsePosition(message.reply ?? ""),
    subject: message.subject,
    data: message.data,
    headers: message.headers,
    ack: () => respond("+ACK"),
    nak: (delayMs) => respond(delayMs > 0 ? `-NAK ${JSON.stringify({ delay: Math.round(delayMs) * NANOS })}` : "-NAK"),
    working: () => respond("+WPI"),
  };
}

/**
 * Reads `$JS.ACK.<stream>.<consumer>.<delivered>.<sequence>.<consumer sequence>.<time>.<pending>`; newer servers may put a domain
 * and an account before the stream and a token behind.
 */
export function parsePosition(reply: string): Position {
  const tokens = reply.split(".");
  if (tokens[0] !== "$JS" || tokens[1] !== "ACK" || tokens.length < 9) throw new Error("not a delivery of JetStream");
  const from = tokens.length === 9 ? 2 : 4;
  const [stream = "", , deliveries, sequence, deliverySequence, storedNanos = "0", pending] = tokens.slice(from);
  return {
    stream,
    sequence: Number(sequence),
    deliverySequence: Number(deliverySequence),
    deliveries: Number(deliveries),
    storedNanos,
    storedAt: new Date(Number(BigInt(storedNanos) / BigInt(NANOS))),
    pending: Number(pending),
  };
}
