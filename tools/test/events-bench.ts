import { createTestBus } from "@gatehouse/test-kit";
import { type GatehouseEvent, newId, STREAMS } from "@gatehouse/contracts";
import {
  connectBus,
  createEvent,
  ensureStreams,
  findLetters,
  openConnection,
  startConsumer,
  type StoredLetter,
} from "@gatehouse/messaging";
import { createLogger } from "@gatehouse/observability";
import { expect } from "vitest";

export const EMAIL = "ada.lovelace@example.com";

const logger = createLogger({ service: "test", level: "silent" });

/** Creates a bus with empty streams. */
export async function createEventsBench() {
  const server = await createTestBus();
  const connection = await openConnection({ url: server.url, name: "test" });
  const bus = connectBus({ url: server.url, name: "test", logger });
  await ensureStreams(connection, Object.values(STREAMS), 1);
  const consumers: { close(): Promise<void> }[] = [];

  async function letters(): Promise<StoredLetter[]> {
    const found: StoredLetter[] = [];
    await findLetters(connection, {}, (letter) => found.push(letter));
    return found;
  }

  /** Publishes over the core protocol, as a program without our library; the stream acknowledges. */
  async function publishText(subject: string, text: string): Promise<void> {
    await connection.request(subject, text);
  }

  return {
    url: server.url,
    letters,

    async publish(...events: readonly GatehouseEvent[]): Promise<void> {
      for (const event of events) await publishText(event.type, JSON.stringify(event));
    },

    publishText,

    /** Starts a consumer that fails on each registration until `isMended`. */
    mailer(durable = "mailer") {
      const state = { isMended: false, handled: [] as string[] };
      const consumer = startConsumer({
        bus,
        stream: STREAMS.user,
        durable,
        filter: "user.registered",
        retryDelay: () => 0,
        logger,
        handlers: {
          "user.registered": async (event) => {
            if (!state.isMended) throw new TypeError(`cannot write to ${event.data.email}`);
            state.handled.push(event.id);
          },
        },
      });
      consumers.push(consumer);
      return state;
    },

    async lettersOnce(count: number): Promise<StoredLetter[]> {
      await expect.poll(() => letters()).toHaveLength(count);
      return await letters();
    },

    async close(): Promise<void> {
      for (const consumer of consumers) await consumer.close();
      await bus.close();
      await connection.close();
      await server.stop();
    },
  };
}

export type EventsBench = Awaited<ReturnType<typeof createEventsBench>>;

export function registration(): GatehouseEvent<"user.registered"> {
  const userId = newId();
  return createEvent<"user.registered">({
    source: "user",
    type: "user.registered",
    subject: userId,
    data: { user_id: userId, email: EMAIL, full_name: "Ada Lovelace" },
    version: 1,
  });
}

export function sessionStart(correlationid: string): GatehouseEvent {
  const userId = newId();
  const data = { user_id: userId, session_id: newId(), device_name: "Ada's telephone", ip_address: "192.0.2.7" };
  return {
    ...createEvent({ source: "auth", type: "auth.session.started", subject: userId, data, version: 3 }),
    correlationid,
    actor: userId,
  };
}
