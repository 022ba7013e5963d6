// The consumer of bench:events, a process of its own: keeps `copies` equal to `sources` by events alone.
import { STREAMS } from "@gatehouse/contracts";
import { connectBus, startConsumer } from "@gatehouse/messaging";
import { createLogger } from "@gatehouse/observability";
import { openDatabase } from "./tables.ts";

const { DATABASE_URL: databaseUrl = "", NATS_URL: natsUrl = "" } = process.env;
const logger = createLogger({ service: "projection", level: "silent" });
const { db, close } = openDatabase(databaseUrl, "bench-projection");
const bus = connectBus({ url: natsUrl, name: "bench-projection", logger });

const consumer = startConsumer({
  bus,
  stream: STREAMS.user,
  durable: "bench-projection",
  filter: "user.profile.updated",
  handlers: {
    "user.profile.updated": async ({ subject: id, version = 0, data: { full_name } }) => {
      await db
        .insertInto("copies")
        .values({ id, version, full_name })
        .onConflict((conflict) =>
          conflict.column("id").doUpdateSet({ version, full_name }).where("copies.version", "<", version),
        )
        .execute();
    },
  },
  logger,
});

process.once("SIGTERM", async () => {
  await consumer.close();
  await bus.close();
  await close();
});
