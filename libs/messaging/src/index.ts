export { type Bus, type BusOptions, connectBus, openConnection } from "./bus.ts";
export { isPermissionViolation } from "./bus-refusals.ts";
export { type Consumer, type ConsumerOptions, type ConsumerStatus, startConsumer } from "./consumer/consumer.ts";
export type { DeliveryInfo, EventHandler, EventHandlers } from "./consumer/event-handler.ts";
export { findLetters, type LetterFilter } from "./dead-letters/find-letters.ts";
export { createReplayer, type ReplayCandidate, type Replayer } from "./dead-letters/replayer.ts";
export { readLetter, type StoredLetter } from "./dead-letters/stored-letter.ts";
export { createEvent, type NewEvent } from "./outbox/create-event.ts";
export { outboxRow } from "./outbox/outbox-row.ts";
export { createTransact, type Transact } from "./outbox/transact.ts";
export { type Relay, type RelayOptions, type RelayStatus, startRelay } from "./relay/relay.ts";
export { readStored } from "./jetstream/read-stored.ts";
export {
  readStream,
  type StreamMessage,
  type StreamReader,
  type StreamReaderOptions,
} from "./jetstream/stream-reader.ts";
export { readEnvelope } from "./read-envelope.ts";
export { ensureStreams, isStreamNotFound } from "./streams.ts";
export { matchesSubject } from "./subject-match.ts";
export { describeProcessing } from "./telemetry/describe-processing.ts";
export { createMessagingTablesV1, dropMessagingTablesV1 } from "./tables/messaging.ddl.v1.ts";
export { extendMessagingTablesV2, reduceMessagingTablesV2 } from "./tables/messaging.ddl.v2.ts";
export { dropInboxV3, restoreInboxV3 } from "./tables/messaging.ddl.v3.ts";
export type { MessagingTables, OutboxInsert, OutboxTable, RelayStateTable } from "./tables/messaging.table.ts";
