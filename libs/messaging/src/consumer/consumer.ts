import type { StreamDefinition } from "@gatehouse/contracts";
import type { Logger } from "@gatehouse/observability";
import type { NatsConnection } from "@nats-io/nats-core";
import { createBackoff } from "../backoff.ts";
import type { Bus } from "../bus.ts";
import { startPull } from "../jetstream/pull.ts";
import { endedOrAborted, runSessions } from "../jetstream/run-sessions.ts";
import { managerOf, prepareDeadLetters } from "../streams.ts";
import { observeLag } from "./consumer-metrics.ts";
import { ensureDurable } from "./ensure-durable.ts";
import type { EventHandlers } from "./event-handler.ts";
import { createFailureCounter } from "./failure-counter.ts";
import { createHandling } from "./handling.ts";
import { createWorkQueue } from "./work-queue.ts";

export interface ConsumerDeps {
  readonly bus: Bus;
  readonly stream: StreamDefinition;
  /** The name under which the server keeps this consumer's position; all replicas share it. */
  readonly durable: string;
  /** One subject, wildcards allowed (`auth.account.>`). Events without a handler are acknowledged unread. */
  readonly filter: string;
  readonly handlers: EventHandlers;
  /** How many handlers run at the same time; default: 8. */
  readonly concurrency?: number;
  readonly logger: Logger;
  /** Replicas of the dead-letter stream. Default: an existing stream stays as it is, a missing one is created with 1. */
  readonly replicas?: number;
  /** Milliseconds before the next attempt, by the number of counted failures; default: 500, doubling. */
  readonly retryDelay?: (failures: number) => number;
}

interface ConsumerStatus {
  /** True while the server delivers to this consumer. */
  readonly connected: boolean;
  readonly running: number;
  /** Since the process started: handlers that succeeded, failures that count, dead letters written. */
  readonly handled: number;
  readonly failed: number;
  readonly deadLettered: number;
}

export interface Consumer {
  /** Takes no more events, returns waiting ones to the server, and waits for running handlers. */
  close(): Promise<void>;
  status(): ConsumerStatus;
}

const DEFAULT_CONCURRENCY = 8;
/** The pauses of a consumer whose infrastructure is down. */
const PAUSE = { firstMs: 250, maxMs: 5_000 };
const doublingDelay = (failures: number): number => 500 * 2 ** (failures - 1);

/**
 * Handles the events of a durable consumer, each acknowledged after its handler committed (docs/reference/events.md). A handler
 * receives an event at least once and in any order: guard a projection by the event's version, an effect by a unique key.
 */
export function startConsumer(deps: ConsumerDeps): Consumer {
  const { bus, stream, durable, filter, handlers, concurrency = DEFAULT_CONCURRENCY, replicas, logger } = deps;
  const stopping = new AbortController();
  const counter = createFailureCounter();
  const backoff = createBackoff(PAUSE);
  const handling = createHandling({
    durable,
    handlers,
    counter,
    backoff,
    retryDelay: deps.retryDelay ?? doublingDelay,
    connection: bus.connection,
    logger,
  });
  const queue = createWorkQueue({ concurrency, run: handling.handle, backoff });
  let streamCreated: string | undefined;
  let connected = false;

  async function session(connection: NatsConnection): Promise<string> {
    const manager = await managerOf(connection);
    const info = await manager.streams.info(stream.name);
    if (info.created !== streamCreated) counter.clear();
    streamCreated = info.created;
    await prepareDeadLetters(manager, replicas);
    await ensureDurable(manager, { stream: stream.name, durable, filter });

    const pull = startPull({
      connection,
      stream: stream.name,
      consumer: durable,
      // As many messages again wait in memory, so that a free slot has the next one at once.
      capacity: concurrency * 2,
      onMessage: (message) => queue.add(message, pull.release),
    });
    connected = true;
    try {
      return await endedOrAborted(pull.ended, stopping.signal);
    } finally {
      connected = false;
      pull.stop();
      queue.release();
    }
  }

  const stopObserving = observeLag({ bus, stream: stream.name, durable });
  const finished = runSessions({ bus, task: `consumer ${durable}`, session, signal: stopping.signal, logger });

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
