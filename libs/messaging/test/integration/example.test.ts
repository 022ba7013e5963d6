import { createEmptyDatabase, createTestBus } from "@gatehouse/test-kit";
import { spawn } from "node:child_process";
import { once as onceEmitted } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { newId, STREAMS } from "@gatehouse/contracts";
import { createDatabase } from "@gatehouse/database";
import { createEvent, ensureStreams } from "@gatehouse/messaging";
import { jetstream } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { sql } from "kysely";
import { expect, onTestFinished, test } from "vitest";

const EXAMPLE = fileURLToPath(new URL("../example/greeter.ts", import.meta.url));

test("the README shows the tested example, in under 30 lines", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const shown = /^```ts\n(.*?)^```$/ms.exec(readme)?.[1] ?? "";
  expect(shown).toBe(readFileSync(EXAMPLE, "utf8"));
  expect(shown.split("\n").filter((line) => line.trim() !== "").length).toBeLessThan(30);
});

test("the README's service greets each user once for a repeated event, and stops cleanly", async () => {
  const [server, empty] = await Promise.all([createTestBus(), createEmptyDatabase()]);
  onTestFinished(async () => {
    await Promise.all([server.stop(), empty.drop()]);
  });
  const database = createDatabase<{ greetings: { user_id: string } }>({ url: empty.ownerUrl, applicationName: "test" });
  onTestFinished(() => database.close());
  await sql`create table greetings (event_id uuid primary key, user_id uuid not null)`.execute(database.db);
  const connection = await connect({ servers: server.url });
  onTestFinished(() => connection.close());
  await ensureStreams(connection, [STREAMS.user], 1);

  const people = Array.from({ length: 5 }, newId);
  for (const user_id of people) {
    const data = { user_id, email: "ada@example.com", full_name: null };
    const event = createEvent({ source: "user", type: "user.registered", subject: user_id, data });
    // Published once as by the relay, and once as by a replay, under another message id.
    for (const msgID of [event.id, `again-${event.id}`])
      await jetstream(connection).publish(event.type, JSON.stringify(event), { msgID });
  }

  const child = spawn(process.execPath, [EXAMPLE], {
    env: { DATABASE_URL: empty.ownerUrl, NATS_URL: server.url },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const ended = onceEmitted(child, "exit");
  onTestFinished(() => void child.kill("SIGKILL"));
  const settled = async () => {
    const answer = await connection.request("$JS.API.CONSUMER.INFO.USER_EVENTS.greeter", "");
    const info = answer.json<{ num_pending?: number; num_ack_pending?: number }>();
    return info.num_pending === 0 && info.num_ack_pending === 0;
  };
  await expect.poll(settled).toBe(true);
  const greeted = await database.db.selectFrom("greetings").select("user_id").execute();
  expect(greeted.map(({ user_id }) => user_id).toSorted()).toEqual(people.toSorted());

  child.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
});
