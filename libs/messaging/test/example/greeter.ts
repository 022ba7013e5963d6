import { STREAMS } from "@gatehouse/contracts";
import { createDatabase } from "@gatehouse/database";
import { connectBus, startConsumer } from "@gatehouse/messaging";
import { createLogger } from "@gatehouse/observability";

type Tables = { greetings: { event_id: string; user_id: string } };

const { DATABASE_URL: databaseUrl = "", NATS_URL: natsUrl = "nats://127.0.0.1:4222" } = process.env;
const logger = createLogger({ service: "greeter", level: "info" });
const database = createDatabase<Tables>({ url: databaseUrl, applicationName: "greeter", logger });
const bus = connectBus({ url: natsUrl, name: "greeter", logger });

const consumer = startConsumer({
  bus,
  stream: STREAMS.user,
  durable: "greeter", // the server keeps the position in the stream under this name; replicas share it
  filter: "user.registered",
  handlers: {
    "user.registered": async ({ id, data }) => {
      const insert = database.db.insertInto("greetings").values({ event_id: id, user_id: data.user_id });
      await insert.onConflict((conflict) => conflict.column("event_id").doNothing()).execute();
    },
  },
  logger,
});

process.once("SIGTERM", async () => {
  await consumer.close(); // waits for running handlers
  await bus.close();
  await database.close();
});
