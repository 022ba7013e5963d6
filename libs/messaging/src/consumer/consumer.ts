import type { EventSubject, GatehouseEvent, StreamDefinition } from "@gatehouse/contracts";
import type { Logger } from "@gatehouse/observability";
import type { Bus } from "../bus.ts";

/** What a handler may want to know beside the event. */
export interface DeliveryInfo {
  readonly stream: string;
  readonly sequence: number;
  readonly storedAt: Date;
  /** 1 for the first try; failures of infrastructure do not count. */
  readonly attempt: number;
}

export type EventHandler<S extends EventSubject> = (event: GatehouseEvent<S>, info: DeliveryInfo) => Promise<void>;

export type EventHandlers = { readonly [S in EventSubject]?: EventHandler<S> };

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
  /** True for errors of infrastructure, which pause the consumer and do not count; the database's unless given. */
  readonly isTransient?: (error: unknown) => boolean;
  /** Copies of the dead-letter stream when this consumer has to make it; 1 unless given. */
  readonly replicas?: number;
  /** Milliseconds to wait before the next try after so many counted failures. */
  readonly retryDelay?: (failures: number) => number;
}

export interface ConsumerStatus {
  readonly connected: boolean;
  readonly running: number;
  readonly handled: number;
  readonly failed: number;
  readonly deadLettered: number;
}

export interface Consumer {
  /** Takes no more events and waits for the handlers that run. */
  close(): Promise<void>;
  status(): ConsumerStatus;
}

export function startConsumer(_options: ConsumerOptions): Consumer {
  throw new Error("not written yet");
}
