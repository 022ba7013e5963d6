import { AUTH_EVENTS, STREAMS, USER_EVENTS } from "@gatehouse/contracts";
import { type Bus, type Consumer, type EventHandlers, startConsumer } from "@gatehouse/messaging";
import type { Logger } from "@gatehouse/observability";
import type { Trail } from "../services/trail.service.ts";

export interface ConsumersOptions {
  readonly bus: Bus;
  readonly trail: Trail;
  readonly logger: Logger;
}

/** On both streams; also the name under which its dead letters lie, and that the server's permissions go by. */
const DURABLE = "audit-log";

/** Everything this service subscribes to: all events of both services. Their ids keep repetitions apart, their order does not matter. */
export function startConsumers({ bus, trail, logger }: ConsumersOptions): Consumer[] {
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

/** A watermark says nothing of anybody. What has no handler is acknowledged unread. */
function recordEach(subjects: readonly string[], trail: Trail): EventHandlers {
  const recorded = subjects.filter((subject) => subject !== "auth.watermark");
  return Object.fromEntries(recorded.map((subject) => [subject, trail.record]));
}
