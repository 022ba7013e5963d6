export { type Applied, applyIfNewer, type VersionedChange } from "./apply-if-newer.ts";
export { createBatchedApply } from "./apply-in-batches.ts";
export { type Bus, type BusOptions, connectBus } from "./bus.ts";
export { type Consumer, type ConsumerOptions, type ConsumerStatus, startConsumer } from "./consumer/consumer.ts";
export type { DeliveryInfo, EventHandler, EventHandlers } from "./consumer/event-handler.ts";
export { handleOnce, trimInbox } from "./inbox.ts";
export { once } from "./once.ts";
export { createEvent, type NewEvent } from "./outbox/create-event.ts";
export { outboxRow } from "./outbox/outbox-row.ts";
export { createTransact, type Transact } from "./outbox/transact.ts";
export { type Relay, type RelayOptions, type RelayStatus, startRelay } from "./relay/relay.ts";
export {
  readStream,
  type StreamMessage,
  type StreamReader,
  type StreamReaderOptions,
} from "./jetstream/stream-reader.ts";
export { ensureStreams } from "./streams.ts";
export {
  createInboxTableV1,
  createMessagingTablesV1,
  dropInboxTableV1,
  dropMessagingTablesV1,
} from "./tables/messaging.ddl.v1.ts";
export type {
  InboxTable,
  InboxTables,
  MessagingTables,
  OutboxInsert,
  OutboxTable,
  RelayStateTable,
} from "./tables/messaging.table.ts";
