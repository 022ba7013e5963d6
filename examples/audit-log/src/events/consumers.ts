import { AUTH_EVENTS, STREAMS, USER_EVENTS } from "@gatehouse/contracts";
import { type Bus, type Consumer, type EventHandlers, startConsumer } from "@gatehouse/messaging";
import type { Logger } from "@gatehouse/observability";
import type { Trail } from "../services/trail.service.ts";

export interface ConsumersDeps {
  readonly bus: Bus;
  readonly trail: Trail;
  readonly logger: Logger;
}

/** The durable on both streams, also the name in its dead letters and in the server's permissions. */
const DURABLE = "audit-log";

/** Subscribes to all events of auth and user. The primary key ignores repeated events, and their order does not matter. */
export function startConsumers({ bus, trail, logger }: ConsumersDeps): Consumer[] {
  const common = { bus, logger };
  return [
    startConsumer({
      ...common,
      stream: STREAMS.auth,
      durable: DURABLE,
      filter: "auth.>",
      handlers: recordEach(Object.keys(AUTH_EVENTS), trail),
    }),
    startConsumer({
      ...common,
      stream: STREAMS.user,
      durable: DURABLE,
      filter: "user.>",
      handlers: recordEach(Object.keys(USER_EVENTS), trail),
    }),
  ];
}

/** Returns a handler for each subject except watermarks, which concern no user. Events without a handler are acknowledged unread. */
function recordEach(subjects: readonly string[], trail: Trail): EventHandlers {
  const recorded = subjects.filter((subject) => subject !== "auth.watermark");
  return Object.fromEntries(recorded.map((subject) => [subject, trail.record]));
}
