export {
  AUTH_EVENT_DATA,
  EVENT_DATA,
  type EventData,
  type EventSubject,
  REVOKING_SUBJECTS,
  USER_EVENT_DATA,
} from "./events/catalog.ts";
export { type EventEnvelope, eventEnvelope } from "./events/envelope.ts";
export { EventFormatError, type GatehouseEvent, isEventSubject, parseEvent } from "./events/event.ts";
export { type StreamDefinition, STREAMS } from "./events/streams.ts";
export * from "./fields.ts";
export * from "./http/auth.ts";
export * from "./http/health.ts";
export * from "./http/problem.ts";
export * from "./http/user.ts";
export { newId, timeOfId } from "./ids.ts";
export * from "./internal/accounts.ts";
export * from "./internal/introspection.ts";
export * from "./profile.ts";
