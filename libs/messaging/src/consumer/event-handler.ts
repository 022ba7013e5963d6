import type { EventSubject, GatehouseEvent } from "@gatehouse/contracts";

/** Facts about the delivery of an event. */
interface DeliveryInfo {
  readonly stream: string;
  readonly sequence: number;
  readonly storedAt: Date;
  /** 1 for the first attempt; infrastructure errors do not count. */
  readonly attempt: number;
}

export type EventHandler<S extends EventSubject> = (event: GatehouseEvent<S>, info: DeliveryInfo) => Promise<void>;

export type EventHandlers = { readonly [S in EventSubject]?: EventHandler<S> };
