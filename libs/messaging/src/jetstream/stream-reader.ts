import type { StreamDefinition } from "@gatehouse/contracts";
import type { Logger } from "@gatehouse/observability";
import type { MsgHdrs, NatsConnection } from "@nats-io/nats-core";
import type { Bus } from "../bus.ts";
import { managerOf } from "../streams.ts";
import { attend } from "./attend.ts";
import type { Delivered } from "./delivered.ts";
import { startPull } from "./pull.ts";
import { readerConfig } from "./reader-config.ts";

/** One stored message as read, not yet parsed. */
export interface StreamMessage {
  readonly subject: string;
  readonly headers: MsgHdrs | undefined;
  readonly data: Uint8Array;
  readonly sequence: number;
  /** When the server stored it, by the server's clock. */
  readonly storedAt: Date;
  /** How many more there are behind it; 0 says that this pass has caught up. */
  readonly pending: number;
}

export interface StreamReaderOptions {
  readonly bus: Bus;
  readonly stream: StreamDefinition;
  /** One subject, wildcards allowed; the whole stream unless given. */
  readonly filter?: string;
  /** Where a pass begins. Asked anew for each pass. */
  readonly since: () => Date;
  /** Called in the stream's order, synchronously; an error it throws is logged and the message counts as read. */
  readonly onMessage: (message: StreamMessage) => void;
  /**
   * A pass begins: `lastSequence` was the stream's last when it did, so what is greater is live; `pending` says how many
   * messages it begins with; `streamCreated` differs from the pass before when the stream is another.
   */
  readonly onStart?: (pass: {
    readonly streamCreated: string;
    readonly lastSequence: number;
    readonly pending: number;
  }) => void;
  /** A pass ended: a gap, a lost connection, a stall, a deleted stream or consumer. Another begins as soon as one can. */
  readonly onEnd?: (reason: string) => void;
  readonly logger: Logger;
}

export interface StreamReader {
  close(): Promise<void>;
}

const CAPACITY = 1_000;

/**
 * Reads a stream from a moment on without acknowledging anything. Every oddity ends the pass, and the next one starts over at `since()`:
 * so each message comes at least once, in order within a pass, and whoever reads must not mind seeing it again.
 */
export function readStream(options: StreamReaderOptions): StreamReader {
  const { logger, onMessage, stream } = options;
  const stopping = new AbortController();

  async function pass(connection: NatsConnection): Promise<string> {
    const manager = await managerOf(connection);
    const { name, num_pending: pending } = await manager.consumers.add(
      stream.name,
      readerConfig({ filter: options.filter, since: options.since() }),
    );
    // Asked after the consumer was made: were the stream replaced in between, the consumer would be gone and the pass over.
    const { created, state } = await manager.streams.info(stream.name);
    options.onStart?.({ streamCreated: created, lastSequence: state.last_seq, pending });
    const reason = await readAll(connection, name);
    options.onEnd?.(reason);
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
        logger.error(
          { err: error, subject: message.subject, sequence: message.sequence },
          "a reader's callback failed",
        );
      }
      pull.release();
    }

    const abandon = (): void => broken.resolve("closed");
    stopping.signal.addEventListener("abort", abandon, { once: true });
    if (stopping.signal.aborted) abandon();
    const reason = await Promise.race([pull.ended, broken.promise]);
    stopping.signal.removeEventListener("abort", abandon);
    pull.stop();
    return reason;
  }

  const finished = attend({
    bus: options.bus,
    what: `reading ${stream.name}`,
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
