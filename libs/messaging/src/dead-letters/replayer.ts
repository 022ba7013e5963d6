import { STREAMS } from "@gatehouse/contracts";
import { type ConsumerInfo, jetstream, JetStreamApiError, type JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { isStreamNotFound, managerOf } from "../streams.ts";
import { matchesSubject } from "../subject-match.ts";
import { replayMessage } from "./replay-message.ts";
import { readLetter, type StoredLetter } from "./stored-letter.ts";

/** What has to be known of a letter to say whether it may be replayed. */
export type ReplayCandidate = Pick<StoredLetter, "number" | "consumer" | "diedAt" | "envelope" | "stream" | "subject">;

export interface Replayer {
  /** Why a letter must not be replayed now, in words; undefined when it may. */
  objection(letter: ReplayCandidate): Promise<string | undefined>;
  /**
   * Puts the event back into its stream for the consumer that gave up on it, and deletes the letter once the stream has it. Dying in
   * between leaves both: the letter can be replayed again and does no harm (replayMessage).
   * @returns false when there is no such letter any more
   * @throws when the bus fails
   */
  replay(number: number): Promise<boolean>;
}

const PUBLISH_TIMEOUT_MS = 5_000;

const DAY = 86_400_000;
/**
 * Services forget after 60 days which users are erased and which events they have handled. A replayed event may stay in its stream for
 * 7 more, and must not come when that is forgotten.
 */
const OLDEST_EVENT_DAYS = 45;

export async function createReplayer(connection: NatsConnection, now: () => Date): Promise<Replayer> {
  const manager = await managerOf(connection);
  const client = jetstream(connection);
  const takers = new Map<string, Promise<ConsumerInfo | undefined>>();

  function takerOf(stream: string, consumer: string) {
    const key = `${stream} ${consumer}`;
    const known = takers.get(key) ?? findConsumer(manager, stream, consumer);
    takers.set(key, known);
    return known;
  }

  return {
    async objection({ consumer, diedAt, envelope, stream, subject }) {
      if (stream === undefined) return `no stream has ${subject}`;
      const age = now().getTime() - (envelope === undefined ? diedAt.getTime() : Date.parse(envelope.time));
      if (age > OLDEST_EVENT_DAYS * DAY)
        return `its event is older than ${OLDEST_EVENT_DAYS} days: what it is about may be erased and forgotten`;
      const taker = await takerOf(stream, consumer);
      if (taker === undefined) return `${stream} has no consumer ${consumer}: start the service that it belongs to`;
      // The server keeps a durable after its service has given up the name. Whoever lives waits for messages or has some in hand.
      if (taker.num_waiting === 0 && taker.num_ack_pending === 0)
        return `nobody takes from consumer ${consumer} of ${stream} now: start the service that it belongs to`;
      const { filter_subject: one, filter_subjects: filters = one ? [one] : [] } = taker.config;
      if (filters.length > 0 && !filters.some((filter) => matchesSubject(filter, subject)))
        return `consumer ${consumer} takes no ${subject} any more`;
      return undefined;
    },

    async replay(number) {
      const stored = await manager.streams.getMessage(STREAMS.deadLetters.name, { seq: number });
      if (stored === null) return false;
      const { header, data, seq, subject, time } = stored;
      const letter = readLetter({ headers: header, data, sequence: seq, subject, storedAt: time });
      const message = replayMessage(letter);
      await client.publish(message.subject, message.payload, {
        msgID: message.msgID,
        headers: message.headers,
        timeout: PUBLISH_TIMEOUT_MS,
        ...(letter.stream !== undefined && { expect: { streamName: letter.stream } }),
      });
      await deleteLetter(manager, number);
      return true;
    },
  };
}

/** JetStream: "consumer not found". */
const NO_CONSUMER = 10014;

async function findConsumer(manager: JetStreamManager, stream: string, consumer: string) {
  try {
    return await manager.consumers.info(stream, consumer);
  } catch (error) {
    if (isStreamNotFound(error) || (error instanceof JetStreamApiError && error.code === NO_CONSUMER)) return undefined;
    throw error;
  }
}

/** JetStream: "no message found", and what else it says of deleting one that is not there. */
const NO_MESSAGE = new Set([10037, 10057]);

async function deleteLetter(manager: JetStreamManager, number: number): Promise<void> {
  try {
    await manager.streams.deleteMessage(STREAMS.deadLetters.name, number);
  } catch (error) {
    // Somebody else who replays it was faster.
    if (!(error instanceof JetStreamApiError && NO_MESSAGE.has(error.code))) throw error;
  }
}
