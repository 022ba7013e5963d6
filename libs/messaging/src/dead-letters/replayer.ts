import { STREAMS } from "@gatehouse/contracts";
import { type ConsumerInfo, jetstream, JetStreamApiError, type JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { isStreamNotFound, managerOf, matchesSubject } from "../streams.ts";
import { replayMessage } from "./replay-message.ts";
import { readLetter, type StoredLetter } from "./stored-letter.ts";

/** The parts of a letter that decide whether it may be replayed. */
export type ReplayCandidate = Pick<StoredLetter, "number" | "consumer" | "diedAt" | "envelope" | "stream" | "subject">;

export interface Replayer {
  /** Returns the reason why a letter must not be replayed now; undefined when it may. */
  objection(letter: ReplayCandidate): Promise<string | undefined>;
  /**
   * Publishes the event again for the consumer that gave up on it, then deletes the letter. A crash in between leaves both, and the
   * letter can be replayed again without harm (replayMessage).
   * @returns false when the letter no longer exists
   * @throws when the bus fails
   */
  replay(number: number): Promise<boolean>;
}

const PUBLISH_TIMEOUT_MS = 5_000;

const DAY_MS = 86_400_000;
/**
 * Services keep the ids of erased users for 60 days. A replayed event stays in its stream for 7 days and must not be delivered after
 * those ids are deleted.
 */
const OLDEST_EVENT_DAYS = 45;

export interface ReplayerDeps {
  readonly connection: NatsConnection;
  readonly now: () => Date;
}

export async function createReplayer({ connection, now }: ReplayerDeps): Promise<Replayer> {
  const manager = await managerOf(connection);
  const client = jetstream(connection);
  const consumers = new Map<string, Promise<ConsumerInfo | undefined>>();

  function consumerOf(stream: string, consumer: string) {
    const key = `${stream} ${consumer}`;
    const known = consumers.get(key) ?? findConsumer(manager, stream, consumer);
    consumers.set(key, known);
    return known;
  }

  return {
    async objection({ consumer, diedAt, envelope, stream, subject }) {
      if (stream === undefined) return `no stream has the subject ${subject}`;
      const age = now().getTime() - (envelope === undefined ? diedAt.getTime() : Date.parse(envelope.time));
      if (age > OLDEST_EVENT_DAYS * DAY_MS)
        return `its event is older than ${OLDEST_EVENT_DAYS} days; its user may have been erased since`;
      const info = await consumerOf(stream, consumer);
      if (info === undefined) return `${stream} has no consumer ${consumer}: start its service`;
      // The server keeps a durable whose service no longer runs. A running one waits for messages or has unacknowledged ones.
      if (info.num_waiting === 0 && info.num_ack_pending === 0)
        return `consumer ${consumer} of ${stream} is not running: start its service`;
      const { filter_subject: one, filter_subjects: filters = one ? [one] : [] } = info.config;
      if (filters.length > 0 && !filters.some((filter) => matchesSubject(filter, subject)))
        return `consumer ${consumer} no longer handles ${subject}`;
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

/** JetStream error "consumer not found". */
const NO_CONSUMER = 10014;

async function findConsumer(manager: JetStreamManager, stream: string, consumer: string) {
  try {
    return await manager.consumers.info(stream, consumer);
  } catch (error) {
    if (isStreamNotFound(error) || (error instanceof JetStreamApiError && error.code === NO_CONSUMER)) return undefined;
    throw error;
  }
}

/** JetStream errors for deleting a message that does not exist. */
const NO_MESSAGE = new Set([10037, 10057]);

async function deleteLetter(manager: JetStreamManager, number: number): Promise<void> {
  try {
    await manager.streams.deleteMessage(STREAMS.deadLetters.name, number);
  } catch (error) {
    // Another operator replayed it at the same time.
    if (!(error instanceof JetStreamApiError && NO_MESSAGE.has(error.code))) throw error;
  }
}
