import { type EventSubject, newId, REVOKING_SUBJECTS } from "@gatehouse/contracts";
import { createEvent } from "@gatehouse/messaging";
import { expect, test } from "vitest";
import { applyRevocation } from "../../src/revocation/revocation-event.ts";
import { createRevocationView } from "../../src/revocation/revocation-view.ts";

const user_id = newId();
const session_id = newId();
const token = { sub: user_id, sid: session_id, jti: newId(), kid: "key", tokenVersion: 3 };
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));

const REVOKING = [
  createEvent({
    source: "auth",
    type: "auth.account.deleted",
    subject: user_id,
    data: { user_id, soft: true, token_version: 4 },
  }),
  createEvent({
    source: "auth",
    type: "auth.password.changed",
    subject: user_id,
    data: { user_id, token_version: 4, by: "self" },
  }),
  createEvent({
    source: "auth",
    type: "auth.sessions.revoked",
    subject: user_id,
    data: { user_id, token_version: 4, reason: "logout_all" },
  }),
  createEvent({
    source: "auth",
    type: "auth.session.revoked",
    subject: user_id,
    data: { user_id, session_id, reason: "logout" },
  }),
  createEvent({ source: "auth", type: "auth.key.retired", subject: "key", data: { kid: "key" } }),
];

function newView() {
  return createRevocationView({ lifetimeSeconds: 960, now: () => 0 });
}

test("the tests cover every revoking subject", () => {
  const tried = REVOKING.map((event): EventSubject => event.type);
  expect(new Set(tried)).toEqual(REVOKING_SUBJECTS);
});

for (const event of REVOKING) {
  test(`${event.type} revokes its tokens and no others`, () => {
    const view = newView();
    applyRevocation(view, bytes(event));
    expect(view.isRevoked(token)).toBe(true);
    expect(view.isRevoked({ sub: newId(), sid: newId(), jti: newId(), kid: "other", tokenVersion: 0 })).toBe(false);
    expect(view.isRevoked({ ...token, sid: newId(), kid: "other", tokenVersion: 4 })).toBe(false);
  });
}

test("an event that revokes nothing changes nothing", () => {
  const view = newView();
  const data = { user_id, session_id, device_name: null, ip_address: null };
  applyRevocation(view, bytes(createEvent({ source: "auth", type: "auth.session.started", subject: user_id, data })));
  expect(view.size()).toBe(0);
});

test("a message that is not an event is rejected and changes nothing", () => {
  const view = newView();
  const [event] = REVOKING;
  for (const text of ["", "{", "null", JSON.stringify({ ...event, data: { user_id, soft: true, token_version: "4" } })])
    expect(() => applyRevocation(view, Buffer.from(text))).toThrow();
  expect(view.size()).toBe(0);
});
