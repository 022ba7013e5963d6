import { EVENTS, parseEvent } from "@gatehouse/contracts";
import { createAsyncApiDocument } from "@gatehouse/contracts/asyncapi";
import { describe, expect, it } from "vitest";
import { entryOf } from "../../src/services/entry-rules.ts";

const { messages } = createAsyncApiDocument().components;
const subjects = Object.keys(EVENTS).filter((subject) => subject !== "auth.watermark");

/** The example event of the AsyncAPI document, with `data` added. */
function eventOf(subject: string, data: object = {}) {
  const payload = messages[subject]?.examples[0]?.payload;
  return parseEvent({ ...payload, data: { ...payload?.data, ...data } });
}

const USER = "0199a1c0-7a00-7000-8000-000000000001";
const SESSION = "0199a1c0-7a00-7000-8000-000000000002";

describe("entryOf", () => {
  it.each(subjects)("keeps the envelope of %s and no personal values", (subject) => {
    const personal = {
      email: "x-mail",
      full_name: "x-name",
      device_name: "x-device",
      ip_address: "x-address",
      added: "x",
    };
    const planted = Object.fromEntries(Object.entries(personal).map(([name, value]) => [name, `personal ${value}`]));
    const event = eventOf(subject, planted);
    const entry = entryOf(event);
    expect(entry).toMatchObject({
      id: event.id,
      type: subject,
      occurredAt: new Date(event.time),
      actor: event.actor ?? null,
      correlationId: event.correlationid ?? null,
      version: event.version ?? null,
    });
    expect(JSON.stringify(entry)).not.toContain("personal");
  });

  it.each([
    ["auth.account.updated", {}, { userId: USER, changed: ["is_verified"], reason: null }],
    ["auth.account.deleted", { soft: true }, { userId: USER, reason: "soft" }],
    ["user.deleted", { soft: false }, { userId: USER, reason: "hard" }],
    ["auth.password.changed", { by: "admin" }, { userId: USER, changed: [], reason: "admin" }],
    ["auth.sessions.revoked", { reason: "role_changed" }, { userId: USER, sessionId: null, reason: "role_changed" }],
    ["auth.session.revoked", {}, { userId: USER, sessionId: SESSION, reason: "logout" }],
    ["auth.key.retired", {}, { userId: null, keyId: "example-kid", version: null, reason: null }],
  ])("maps %s %o to %o", (subject, data, expected) => {
    expect(entryOf(eventOf(subject, data))).toMatchObject(expected);
  });
});
