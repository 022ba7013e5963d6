import { STREAMS } from "@gatehouse/contracts";
import { createDatabase } from "@gatehouse/database";
import { connectBus, type InboxTables, once, startConsumer } from "@gatehouse/messaging";
import { createLogger } from "@gatehouse/observability";

interface Tables extends InboxTables {
  greetings: { user_id: string };
}

const { DATABASE_URL: databaseUrl = "", NATS_URL: natsUrl = "nats://127.0.0.1:4222" } = process.env;
const logger = createLogger({ service: "greeter", level: "info" });
const database = createDatabase<Tables>({ url: databaseUrl, applicationName: "greeter", logger });
const bus = connectBus({ url: natsUrl, name: "greeter", logger });

const consumer = startConsumer({
  bus,
  stream: STREAMS.user,
  durable: "greeter", // the server keeps the place in the stream under this name; replicas share it
  filter: "user.registered",
  handlers: {
    "user.registered": once(database.db, "greeter", async (trx, event) => {
      await trx.insertInto("greetings").values({ user_id: event.data.user_id }).execute();
    }),
  },
  logger,
});

process.once("SIGTERM", async () => {
  await consumer.close(); // waits for the handlers that run
  await bus.close();
  await database.close();
});
