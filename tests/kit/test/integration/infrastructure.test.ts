import { bystander, deadIdentity } from "../../../../tools/local-stack/test/fixtures/scratch.ts";
import { hasAdmin, isAlive, waitForFirstAdmin } from "@gatehouse/local-stack";
import { createTestDatabase } from "@gatehouse/test-kit";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { expect, onTestFinished, test } from "vitest";
import { startTestInfrastructure } from "../../src/infrastructure.ts";
import { serviceUrlsOf, TEMPLATE } from "../../src/template.ts";

async function query(url: string, sql: string): Promise<number | null> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rowCount;
  } finally {
    await client.end();
  }
}

/** Creates the folder of a killed run with the records of its processes. */
function leftBehind(owner: object, server: object): string {
  const folder = join(tmpdir(), `gatehouse-test-left-${process.pid}-${Math.random().toString(36).slice(2)}`);
  mkdirSync(join(folder, "run"), { recursive: true });
  writeFileSync(join(folder, "owner.json"), JSON.stringify(owner));
  const record = { name: "nats", kind: "server", stopSignal: "SIGTERM", ...server };
  writeFileSync(join(folder, "run", "server.json"), JSON.stringify(record));
  return folder;
}

test("a test run removes what killed runs left and prepares a migrated template", async () => {
  const [orphan, owner, server] = [await bystander(), await bystander(), await bystander()];
  const dead = leftBehind(await deadIdentity(), orphan.identity);
  const living = leftBehind(owner.identity, server.identity);
  onTestFinished(() => rmSync(living, { recursive: true }));
  const { info, stop } = await startTestInfrastructure({ ...process.env, TEST_STACK: "local" });
  onTestFinished(stop);
  expect(await orphan.ended).toBe("SIGTERM");
  expect([existsSync(dead), existsSync(living)]).toEqual([false, true]);
  expect(isAlive(server.identity)).toBe(true);

  const urls = serviceUrlsOf(info.postgresUrl, TEMPLATE);
  expect(await query(urls.auth, "select from accounts")).toBe(0);
  expect(await query(urls.user, "select from users")).toBe(0);
  expect([info.nats.kind, info.redis.kind]).toEqual(["program", "program"]);
  await stop();
  expect(existsSync(info.folder)).toBe(false);
  await expect(query(urls.auth, "select 1")).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

test("an unknown TEST_STACK stops the run", async () => {
  await expect(startTestInfrastructure({ TEST_STACK: "container" })).rejects.toThrow("TEST_STACK must be");
});

test("the wait for the first admin ends when the user service has the admin", async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const urls = { auth: database.authUrl, user: database.userUrl };
  // Auth created no account, because an admin existed; the call returns at once.
  await waitForFirstAdmin("root@example.com", urls);
  expect(await hasAdmin(urls.auth)).toBe(false);

  const id = "01a212db-03d2-77f7-a77d-99e76a2c3f30";
  await query(
    urls.auth,
    `insert into accounts (id, email, password_hash, role, is_active, is_verified, created_at, updated_at)
     values ('${id}', 'root@example.com', 'x', 'admin', true, true, now(), now())`,
  );
  expect(await hasAdmin(urls.auth)).toBe(true);
  await expect(
    waitForFirstAdmin("root@example.com", urls, AbortSignal.abort(new Error("interrupted"))),
  ).rejects.toThrow("interrupted");
  let isKnown = false;
  const waiting = waitForFirstAdmin(" Root@Example.com ", urls).then(() => (isKnown = true));
  await query(urls.user, "select pg_sleep(0.05)");
  expect(isKnown).toBe(false);
  await query(
    urls.user,
    `insert into users (id, email, role, is_active, is_verified, is_registered, account_version, deletion_version, version, created_at, updated_at)
     values ('${id}', 'root@example.com', 'admin', true, true, true, 1, 0, 1, now(), now())`,
  );
  expect(await waiting).toBe(true);
});
