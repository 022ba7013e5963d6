import type { StreamDefinition } from "@gatehouse/contracts";
import type { Logger } from "@gatehouse/observability";
import type { MsgHdrs, NatsConnection } from "@nats-io/nats-core";
import type { Bus } from "../bus.ts";
import { managerOf } from "../streams.ts";
import type { Delivered } from "./delivered.ts";
import { startPull } from "./pull.ts";
import { readerConfig } from "./reader-config.ts";
import { endedOrAborted, runSessions } from "./run-sessions.ts";

/** One stored message, not parsed. */
export interface StreamMessage {
  readonly subject: string;
  readonly headers: MsgHdrs | undefined;
  readonly data: Uint8Array;
  readonly sequence: number;
  /** When the server stored it, by its clock. */
  readonly storedAt: Date;
  /** How many messages follow; 0 when this pass has caught up. */
  readonly pending: number;
}

export interface StreamReaderDeps {
  readonly bus: Bus;
  readonly stream: StreamDefinition;
  /** One subject, wildcards allowed; default: the whole stream. */
  readonly filter?: string;
  /** Where a pass begins; called for each pass. */
  readonly since: () => Date;
  /** Called synchronously and in order. An error it throws is logged, and the message counts as read. */
  readonly onMessage: (message: StreamMessage) => void;
  /**
   * Called when a pass begins. `lastSequence` is the stream's last, so greater sequences are live. `pending` is the number of
   * stored messages to read. `streamCreated` changes when the stream was recreated.
   */
  readonly onStart?: (pass: {
    readonly streamCreated: string;
    readonly lastSequence: number;
    readonly pending: number;
  }) => void;
  /** Called when a pass ended: by a gap, a lost connection, a stall, a deleted stream or consumer. The next begins when it can. */
  readonly onEnd?: (reason: string) => void;
  readonly logger: Logger;
}

export interface StreamReader {
  close(): Promise<void>;
}

const CAPACITY = 1_000;

/**
 * Follows a stream from `since()` on without acknowledging anything. Every fault ends the pass, and the next one restarts at
 * `since()`: each message is read at least once, in order within a pass.
 */
export function readStream(deps: StreamReaderDeps): StreamReader {
  const { bus, logger, onMessage, stream } = deps;
  const stopping = new AbortController();

  async function pass(connection: NatsConnection): Promise<string> {
    const manager = await managerOf(connection);
    const { name, num_pending: pending } = await manager.consumers.add(
      stream.name,
      readerConfig({ filter: deps.filter, since: deps.since() }),
    );
    // Asked after the consumer was created: a stream replaced in between has no such consumer, which ends the pass.
    const { created, state } = await manager.streams.info(stream.name);
    deps.onStart?.({ streamCreated: created, lastSequence: state.last_seq, pending });
    const reason = await readAll(connection, name);
    deps.onEnd?.(reason);
    return reason;
  }

  async function readAll(connection: NatsConnection, consumer: string): Promise<string> {
    const broken = Promise.withResolvers<string>();
    let expected = 1;
    const pull = startPull({ connection, stream: stream.name, consumer, capacity: CAPACITY, onMessage: receive });

    function receive(message: Delivered): void {
      if (message.deliverySequence !== expected) return broken.resolve("gap");
      expected += 1;
      try {
        onMessage(message);
      } catch (error) {
        logger.error({ err: error, subject: message.subject, sequence: message.sequence }, "message callback failed");
      }
      pull.release();
    }

    const reason = await endedOrAborted(Promise.race([pull.ended, broken.promise]), stopping.signal);
    pull.stop();
    return reason;
  }

  const finished = runSessions({
    bus,
    task: `reading ${stream.name}`,
    session: pass,
    signal: stopping.signal,
    logger,
  });

  return {
    async close() {
      stopping.abort();
      await finished;
    },
  };
}
