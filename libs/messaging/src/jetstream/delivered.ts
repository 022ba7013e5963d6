import type { Msg, MsgHdrs } from "@nats-io/nats-core";

/** What the server writes into the reply subject of a delivery (JetStream wire API, "ACK reply subject"). */
export interface AckInfo {
  readonly stream: string;
  /** The message's sequence in the stream. */
  readonly sequence: number;
  /** The delivery's sequence in the consumer: consecutive from 1. */
  readonly deliverySequence: number;
  /** How often the server has delivered the message to the consumer, including this time. */
  readonly deliveries: number;
  /** When the server stored the message: nanoseconds since 1970, by its clock. */
  readonly storedNanos: string;
  readonly storedAt: Date;
  /** How many more messages wait for the consumer. */
  readonly pending: number;
}

/** One message as a consumer received it. */
export interface Delivered extends AckInfo {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers: MsgHdrs | undefined;
  /** Acknowledges: the server does not deliver it again. */
  ack(): void;
  /** Asks for another delivery after `delayMs`. */
  nak(delayMs: number): void;
  /** Restarts the acknowledgement wait of a message that is still being handled. */
  working(): void;
}

const NANOS = 1_000_000;

/** @param isAlive false once nothing may be acknowledged, because a consumer of the same name may have replaced this one */
export function delivered(message: Msg, isAlive: () => boolean): Delivered {
  function respond(payload: string): void {
    if (isAlive()) message.respond(payload);
  }
  return {
    ...parseAck(message.reply ?? ""),
    subject: message.subject,
    data: message.data,
    headers: message.headers,
    ack: () => respond("+ACK"),
    nak: (delayMs) => respond(delayMs > 0 ? `-NAK ${JSON.stringify({ delay: Math.round(delayMs) * NANOS })}` : "-NAK"),
    working: () => respond("+WPI"),
  };
}

/**
 * Parses `$JS.ACK.<stream>.<consumer>.<delivered>.<sequence>.<consumer sequence>.<time>.<pending>`. Newer servers may add a domain
 * and an account before the stream, and a token at the end.
 * @throws when the subject has another form
 */
export function parseAck(reply: string): AckInfo {
  const tokens = reply.split(".");
  if (tokens[0] !== "$JS" || tokens[1] !== "ACK" || tokens.length < 9) throw new Error("not a delivery from JetStream");
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
