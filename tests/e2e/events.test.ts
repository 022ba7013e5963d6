import { type RunningServices, startServices } from "@gatehouse/test-kit";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { parseEvent, REVOKING_SUBJECTS, STREAMS } from "@gatehouse/contracts";
import { jetstream } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readStream } from "@gatehouse/test-kit/system";
import { createMessageCheck } from "./support/asyncapi.ts";
import { causeEvents, missingEvents } from "./support/event-causes.ts";
import {
  call,
  FIRST_ADMIN,
  loginAdmin,
  NEW_PASSWORD,
  PASSWORD,
  type Person,
  register,
  until,
} from "@gatehouse/test-kit/api";

let system: RunningServices;
let base: string;
let admin: Person;
let connection: NatsConnection;
beforeAll(async () => {
  system = await startServices({ auth: FIRST_ADMIN });
  base = system.url;
  admin = await loginAdmin(base);
  connection = await connect({ servers: system.bus.url });
});
afterAll(async () => {
  await connection.close();
  await system.stop();
});

const readAll = (stream: string) => readStream(connection, stream);
const published = async () => [...(await readAll(STREAMS.auth.name)), ...(await readAll(STREAMS.user.name))];
const admins = (method: string, id: string, json?: object, rest = "") =>
  call(base, method, `/v1/admin/users/${id}${rest}`, { token: admin.token, json });

describe("events", () => {
  it("are all published, match docs/asyncapi.json and carry no secret", async () => {
    const { user, tokens } = await causeEvents(base, admin);
    const missing = async () => missingEvents(new Set((await published()).map(({ event }) => event.type)));
    const message = "no act published these events; correct their causes in tests/e2e/support/event-causes.ts";
    await expect.poll(missing, { timeout: 10_000, message }).toEqual([]);
    const secrets = [PASSWORD, NEW_PASSWORD, "argon2", ...tokens];
    const check = createMessageCheck();
    for (const { raw, event, headers } of await published()) {
      expect(check(event.type, headers, JSON.parse(raw))).toEqual([]);
      for (const secret of secrets) expect(raw).not.toContain(secret);
      expect(event.source).toBe(event.type.split(".")[0]);
      if (event.type === "auth.watermark") continue;
      expect(headers["Nats-Msg-Id"]).toBe(event.id);
      if (event.source === "user" || event.subject === user.id) expect(event.version).toEqual(expect.any(Number));
    }
  });

  it("of one user have versions that grow by one per change, and name the actor", async () => {
    const user = await register(base);
    await admins("PATCH", user.id, { role: "admin" });
    await admins("PATCH", user.id, { is_active: false, password: "x" });
    const mine = async () =>
      (await readAll(STREAMS.auth.name))
        .map(({ event }) => event)
        .filter((event) => event.subject === user.id && event.type !== "auth.session.started");
    await until(async () => (await mine()).length === 6);
    const events = (await mine()).toSorted(
      (a, b) => Number(a.version) - Number(b.version) || a.type.localeCompare(b.type),
    );
    expect(events.map(({ type, version, actor }) => [type, version, actor])).toEqual([
      ["auth.account.created", 1, undefined],
      ["auth.account.updated", 2, admin.id],
      ["auth.sessions.revoked", 2, admin.id],
      ["auth.account.updated", 3, admin.id],
      ["auth.password.changed", 3, admin.id],
      ["auth.sessions.revoked", 3, admin.id],
    ]);
    expect(REVOKING_SUBJECTS.has("auth.sessions.revoked")).toBe(true);
  });

  it("have the correlation id of the request that caused them", async () => {
    const correlation = `events-${process.pid}`;
    const email = `${correlation}@example.com`;
    const headers = {
      "x-correlation-id": correlation,
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    };
    await call(base, "POST", "/v1/users", { json: { email, password: PASSWORD }, headers });
    const caused = async () => (await published()).filter(({ event }) => event.correlationid === correlation);
    await until(async () => (await caused()).length === 2);
    expect((await caused()).map(({ event }) => event.type).toSorted()).toEqual([
      "auth.account.created",
      "user.registered",
    ]);
    for (const { event } of await caused()) expect(event.traceparent).toContain("0af7651916cd43dd8448eb211c80319c");
  });
});

describe("projections", () => {
  it("follow the owner: login returns the name that the user service stored", async () => {
    const user = await register(base, { full_name: "Before" });
    await call(base, "PATCH", "/v1/users/me", { token: user.token, json: { full_name: "After" } });
    await until(async () => {
      const form = { username: user.email, password: PASSWORD };
      const answer = await call<{ user: { full_name: string } }>(base, "POST", "/v1/auth/login", { form });
      return answer.body.user.full_name === "After";
    });
  });
});

describe("docs/guide/consuming-events.md", () => {
  const page = readFileSync(new URL("../../docs/guide/consuming-events.md", import.meta.url), "utf8");
  const blocks = (language: string) =>
    [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms"))].map(([, block = ""]) => block);
  const [event = "", durable = ""] = blocks("json");
  const createDurable = async () => {
    const request = JSON.stringify({ stream_name: STREAMS.user.name, config: JSON.parse(durable) });
    const answer = await connection.request("$JS.API.CONSUMER.CREATE.USER_EVENTS.newsletter.user.>", request);
    return answer.json<Record<string, unknown>>();
  };

  it("shows a real event", () => {
    const { type } = parseEvent(JSON.parse(event));
    expect(
      createMessageCheck()(
        type,
        { "Nats-Msg-Id": "x", "content-type": "application/cloudevents+json" },
        JSON.parse(event),
      ),
    ).toEqual([]);
  });

  it("shows a durable that the server accepts and that receives earlier events", async () => {
    const user = await register(base);
    expect(await createDurable()).toMatchObject({ name: "newsletter", config: { filter_subject: "user.>" } });
    const consumer = await jetstream(connection).consumers.get(STREAMS.user.name, "newsletter");
    const seen: string[] = [];
    await until(async () => {
      const message = await consumer.next({ expires: 1_000 });
      message?.ack();
      if (message) seen.push(message.json<{ subject: string }>().subject);
      return seen.includes(user.id);
    });
    await consumer.delete();
  });

  // Runs where the Python library is installed.
  it.skipIf(!hasNatsPy())("shows a program that handles registrations and erasures once each", async () => {
    const folder = mkdtempSync(join(tmpdir(), "gatehouse-newsletter-"));
    const [stays, goes] = [await register(base), await register(base)];
    await admins("DELETE", goes.id);
    await createDurable();
    const environment = { ...process.env, NATS_URL: system.bus.url, DATABASE: join(folder, "newsletter.db") };
    const child = spawn("python3", ["-c", blocks("python")[0] ?? ""], { env: environment, stdio: "inherit" });
    try {
      const stored = new Map<unknown, unknown>();
      await until(async () => {
        const database = new DatabaseSync(environment.DATABASE);
        try {
          for (const row of database.prepare("select user_id, email from subscribers").all())
            stored.set(row["user_id"], row["email"]);
        } catch {
          // The program has not created its tables yet.
        } finally {
          database.close();
        }
        return stored.has(stays.id) && stored.get(goes.id) === null;
      });
      expect(stored.get(stays.id)).toBe(stays.email);
    } finally {
      child.kill();
      rmSync(folder, { recursive: true });
    }
  });
});

function hasNatsPy(): boolean {
  try {
    execFileSync("python3", ["-c", "import nats"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
