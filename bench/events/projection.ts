// The consumer of bench:events, a process of its own: keeps `copies` equal to `sources` by events alone.
import { STREAMS } from "@gatehouse/contracts";
import { connectBus, createBatchedApply, startConsumer } from "@gatehouse/messaging";
import { createLogger } from "@gatehouse/observability";
import { openDatabase } from "./tables.ts";

const { DATABASE_URL: databaseUrl = "", NATS_URL: natsUrl = "" } = process.env;
const logger = createLogger({ service: "projection", level: "silent" });
const { db, close } = openDatabase(databaseUrl, "bench-projection");
const bus = connectBus({ url: natsUrl, name: "bench-projection", logger });

const apply = createBatchedApply(db, { table: "copies", versionColumn: "version" });

const consumer = startConsumer({
  bus,
  stream: STREAMS.user,
  durable: "bench-projection",
  filter: "user.profile.updated",
  handlers: {
    "user.profile.updated": async ({ subject: id, version = 0, data: { full_name } }) => {
      const change = { id, version, set: { full_name } };
      if ((await apply(change)) !== "missing") return;
      await db
        .insertInto("copies")
        .values({ id, version: 0, full_name: null })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      await apply(change);
    },
  },
  concurrency: 200,
  logger,
});

process.once("SIGTERM", async () => {
  await consumer.close();
  await bus.close();
  await close();
});
