import type { StreamDefinition } from "@gatehouse/contracts";
import type { Logger } from "@gatehouse/observability";
import type { NatsConnection } from "@nats-io/nats-core";
import type { Bus } from "../bus.ts";
import { attend } from "../jetstream/attend.ts";
import { startPull } from "../jetstream/pull.ts";
import { managerOf, prepareDeadLetters } from "../streams.ts";
import { createBreather } from "./breather.ts";
import { observeLag } from "./consumer-metrics.ts";
import { ensureDurable } from "./ensure-durable.ts";
import type { EventHandlers } from "./event-handler.ts";
import { createFailureCounter } from "./failure-counter.ts";
import { createHandling } from "./handling.ts";
import { isInfrastructureError } from "./infrastructure-error.ts";
import { createWorkQueue } from "./work-queue.ts";

export interface ConsumerOptions {
  readonly bus: Bus;
  readonly stream: StreamDefinition;
  /** The name under which the server keeps this consumer's place; all replicas share it. */
  readonly durable: string;
  /** One subject, wildcards allowed (`auth.account.>`). Subjects without a handler are acknowledged unread. */
  readonly filter: string;
  readonly handlers: EventHandlers;
  /** Handlers at the same time; 8 unless given. */
  readonly concurrency?: number;
  readonly logger: Logger;
  /** True for errors of infrastructure, which pause the consumer and do not count; isInfrastructureError unless given. */
  readonly isTransient?: (error: unknown) => boolean;
  /** Copies that the dead-letter stream shall have. Unless given, the stream is taken as it is, and made with 1 when it is not there. */
  readonly replicas?: number;
  /** Milliseconds before the next try after so many counted failures; half a second, doubling, unless given. */
  readonly retryDelay?: (failures: number) => number;
}

export interface ConsumerStatus {
  /** True while the server delivers to this consumer. */
  readonly connected: boolean;
  readonly running: number;
  /** Since the start: handlers that succeeded, failures that counted, letters written. */
  readonly handled: number;
  readonly failed: number;
  readonly deadLettered: number;
}

export interface Consumer {
  /** Takes no more events, gives back those that wait, and waits for the handlers that run. */
  close(): Promise<void>;
  status(): ConsumerStatus;
}

const DEFAULT_CONCURRENCY = 8;
const doublingDelay = (failures: number): number => 500 * 2 ** (failures - 1);

/**
 * Handles events one message at a time per slot, each acknowledged after its handler's own commit (design, "Outbox, bus,
 * consumers"). A handler sees an event at least once and in no promised order: use applyIfNewer or handleOnce.
 */
export function startConsumer(options: ConsumerOptions): Consumer {
  const { bus, stream, durable, logger } = options;
  const concurrency = options.concurrency ?? DEFAULT_CONCURRENCY;
  const stopping = new AbortController();
  const failures = createFailureCounter();
  const breather = createBreather();
  const handling = createHandling({
    durable,
    handlers: options.handlers,
    failures,
    breather,
    isTransient: options.isTransient ?? isInfrastructureError,
    retryDelay: options.retryDelay ?? doublingDelay,
    connection: bus.connection,
    logger,
  });
  const queue = createWorkQueue({ concurrency, run: handling.handle, breather });
  let streamCreated: string | undefined;
  let connected = false;

  async function session(connection: NatsConnection): Promise<string> {
    const manager = await managerOf(connection);
    const info = await manager.streams.info(stream.name);
    if (info.created !== streamCreated) failures.clear();
    streamCreated = info.created;
    await prepareDeadLetters(manager, options.replicas);
    await ensureDurable(manager, { stream: stream.name, durable, filter: options.filter });

    const pull = startPull({
      connection,
      stream: stream.name,
      consumer: durable,
      // As many again wait at hand, so that a free slot need not ask first.
      capacity: concurrency * 2,
      onMessage: (message) => queue.add(message, pull.release),
    });
    connected = true;
    const aborted = Promise.withResolvers<string>();
    const abort = (): void => aborted.resolve("closed");
    stopping.signal.addEventListener("abort", abort, { once: true });
    if (stopping.signal.aborted) abort();
    try {
      return await Promise.race([pull.ended, aborted.promise]);
    } finally {
      connected = false;
      stopping.signal.removeEventListener("abort", abort);
      pull.stop();
      queue.giveBack();
    }
  }

  const stopObserving = observeLag({ bus, stream: stream.name, durable });
  const finished = attend({ bus, what: `consumer ${durable}`, session, signal: stopping.signal, logger });

  return {
    async close() {
      stopping.abort();
      stopObserving();
      await finished;
      await queue.close();
    },
    status: () => ({ connected, running: queue.running(), ...handling.counts() }),
  };
}
