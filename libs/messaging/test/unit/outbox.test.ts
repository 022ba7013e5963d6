import {
  EVENTS,
  EventFormatError,
  type EventSubject,
  newId,
  parseEvent,
  REVOKING_SUBJECTS,
} from "@gatehouse/contracts";
import { createEvent, outboxRow } from "@gatehouse/messaging";
import { runInContext } from "@gatehouse/observability";
import { describe, expect, test } from "vitest";

const userId = newId();
const logout = {
  source: "auth",
  type: "auth.session.revoked",
  subject: userId,
  data: { user_id: userId, session_id: newId(), reason: "logout" },
} as const;

describe("createEvent", () => {
  test("returns a CloudEvent that matches its schema", () => {
    const event = createEvent({ ...logout, time: new Date("2026-11-24T12:00:00.123Z"), version: 3, actor: "someone" });
    expect(parseEvent(JSON.parse(JSON.stringify(event)))).toEqual(event);
    expect(event).toMatchObject({
      specversion: "1.0",
      type: "auth.session.revoked",
      source: "auth",
      subject: userId,
      time: "2026-11-24T12:00:00.123Z",
      version: 3,
      actor: "someone",
      data: logout.data,
    });
  });

  test("adds the correlation id and the trace of the current request", () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const trace = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", traceFlags: 1 };
    const context = { correlationId: "abc", trace };
    const event = runInContext(context, () => createEvent(logout));
    expect(event).toMatchObject({ correlationid: "abc", traceparent });
    expect(JSON.parse(outboxRow(event).headers ?? "")).toEqual({ traceparent });
  });

  test("adds neither outside a request, and omits fields that are not given", () => {
    const event = createEvent(logout);
    for (const key of ["correlationid", "traceparent", "actor", "version"]) expect(event).not.toHaveProperty(key);
    expect(outboxRow(event).headers).toBe("{}");
  });

  test("rejects data that does not match the schema, by path and without the value", () => {
    const data = { ...logout.data, reason: "private text" as "logout" };
    const create = () => createEvent({ ...logout, data });
    expect(create).toThrow(EventFormatError);
    expect(create).toThrow(/reason/);
    expect(create).not.toThrow(/private text/);
  });
});

test.each(Object.keys(EVENTS) as EventSubject[])("outboxRow marks %s as revoking when its subject revokes", (type) => {
  const event = { ...createEvent(logout), type };
  expect(outboxRow(event)).toMatchObject({ id: event.id, subject: type, revoking: REVOKING_SUBJECTS.has(type) });
});
