import { connectVerifier, type ConnectVerifierDeps } from "@gatehouse/access";
import { newId, type IntrospectionResult } from "@gatehouse/contracts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type AuthServer, INTROSPECTION_TOKEN, startAuthServer } from "../fixtures/auth-server.ts";
import { type Bench, createBench, WAIT } from "../fixtures/bench.ts";
import { AUDIENCE, createKey, ISSUER, LIFETIME_SECONDS, sign, type TestKey } from "../fixtures/tokens.ts";

const ENDED: IntrospectionResult = { active: false, session_ended: true, least_token_version: 3 };

let bench: Bench;
let auth: AuthServer;
let key: TestKey;
beforeAll(async () => {
  bench = await createBench();
  key = await createKey();
});
beforeEach(async () => {
  await bench.makeStream();
  auth = await startAuthServer();
  auth.keys = [key.jwk];
});
afterEach(async () => {
  await bench.reset();
  await auth.stop();
});
afterAll(() => bench.close());

function connect(options: Partial<ConnectVerifierDeps> = {}) {
  const verifier = connectVerifier({
    bus: bench.connect(),
    authUrls: [auth.url],
    introspectionToken: INTROSPECTION_TOKEN,
    issuer: ISSUER,
    audience: AUDIENCE,
    lifetimeSeconds: LIFETIME_SECONDS,
    maxStalenessSeconds: 60,
    logger: bench.logger,
    ...options,
  });
  bench.defer(() => verifier.close());
  /** Returns `accepted` or the error's code. */
  const outcome = (token: string): Promise<string> =>
    verifier.verify(token).then(
      () => "accepted",
      (error: { code?: string }) => error.code ?? String(error),
    );
  return { verifier, outcome };
}

type Connected = ReturnType<typeof connect>;

/** Connects a verifier whose view is current for the next minute, or as long as the options say. */
async function connectCurrent(options: Partial<ConnectVerifierDeps> = {}): Promise<Connected> {
  const connected = connect(options);
  await becomeCurrent(connected);
  await expect.poll(() => connected.verifier.ready()).toBe(true);
  return connected;
}

async function becomeCurrent({ verifier }: Connected): Promise<void> {
  await expect
    .poll(async () => {
      const before = verifier.stalenessSeconds();
      await bench.publishWatermark();
      return verifier.stalenessSeconds() < Math.min(before, 5);
    }, WAIT)
    .toBe(true);
}

describe("verify with a current view", () => {
  const user_id = newId();
  const session_id = newId();
  const revocations: Record<string, () => Promise<void>> = {
    "a logout": () => bench.publish("auth.session.revoked", { user_id, session_id, reason: "logout" }),
    "a replay": () => bench.publish("auth.session.revoked", { user_id, session_id, reason: "replay" }),
    "a logout everywhere": () =>
      bench.publish("auth.sessions.revoked", { user_id, token_version: 4, reason: "logout_all" }),
    "a deactivation": () =>
      bench.publish("auth.sessions.revoked", { user_id, token_version: 4, reason: "deactivated" }),
    "a change of role": () =>
      bench.publish("auth.sessions.revoked", { user_id, token_version: 4, reason: "role_changed" }),
    "a change of password": () => bench.publish("auth.password.changed", { user_id, token_version: 4, by: "self" }),
    "a deletion": () => bench.publish("auth.account.deleted", { user_id, soft: true, token_version: 4 }),
    "a retired key": () => bench.publish("auth.key.retired", { kid: key.kid }),
  };

  for (const [name, revoke] of Object.entries(revocations)) {
    test(`${name} revokes the token without a request to auth`, async () => {
      const { outcome } = await connectCurrent();
      const token = await sign(key, { sub: user_id, sid: session_id });
      expect(await outcome(token)).toBe("accepted");
      await revoke();
      await expect.poll(() => outcome(token), WAIT).toBe("TokenRevokedError");
      expect(auth.batches).toEqual([]);
    });
  }

  test("an event that revokes nothing revokes no token", async () => {
    const { outcome } = await connectCurrent();
    const token = await sign(key, { sub: user_id, sid: session_id, token_version: 4 });
    await bench.publish("auth.sessions.revoked", { user_id, token_version: 4, reason: "logout_all" });
    const data = { user_id, email: "a@b.test", role: "user", is_active: true, is_verified: false } as const;
    await bench.publish("auth.account.updated", { ...data, changed: ["email"] });
    const last = newId();
    await bench.endSession(last);
    const witness = await sign(key, { sid: last });
    await expect.poll(() => outcome(witness), WAIT).toBe("TokenRevokedError");
    expect(await outcome(token)).toBe("accepted");
  });

  test("rejects what was revoked before the verifier started", async () => {
    await bench.endSession(session_id);
    const { outcome } = await connectCurrent();
    expect(await outcome(await sign(key, { sid: session_id }))).toBe("TokenRevokedError");
  });

  test("rejects a foreign token", async () => {
    const { outcome } = await connectCurrent();
    const forger = await createKey();
    for (const token of ["", "nonsense", await sign(forger), await sign({ ...forger, kid: key.kid })])
      expect(await outcome(token)).toBe("TokenError");
  });

  test("rejects a token older than the revocation window, whatever its expiry", async () => {
    const { outcome } = await connectCurrent();
    const now = Math.floor(Date.now() / 1_000);
    expect(await outcome(await sign(key, { iat: now - LIFETIME_SECONDS - 30, exp: now + 900 }))).toBe("accepted");
    expect(await outcome(await sign(key, { iat: now - LIFETIME_SECONDS - 90, exp: now + 900 }))).toBe("TokenError");
  });
});

describe("verify with a stale view", () => {
  test("asks auth, which decides", async () => {
    const { outcome } = connect();
    const [good, bad] = [await sign(key), await sign(key)];
    const ended = newId();
    auth.judge = ({ sid }) => (sid === ended ? ENDED : { active: true, session_ended: false, least_token_version: 3 });
    expect(await outcome(good)).toBe("accepted");
    expect(await outcome(bad)).toBe("accepted");
    expect(await outcome(await sign(key, { sid: ended }))).toBe("TokenRevokedError");
    expect(auth.batches.flat()).toHaveLength(3);
  });

  const refusals: Record<string, IntrospectionResult> = {
    "because its session ended": ENDED,
    "because its version is old": { active: false, session_ended: false, least_token_version: 4 },
    "because its user was deleted": { active: false, session_ended: false, least_token_version: null },
    "without a reason": { active: false, session_ended: false, least_token_version: 3 },
  };
  for (const [name, refusal] of Object.entries(refusals)) {
    test(`a token that auth rejected ${name} stays rejected when the view is current again`, async () => {
      const connected = connect();
      const token = await sign(key);
      auth.judge = () => refusal;
      expect(await connected.outcome(token)).toBe("TokenRevokedError");
      auth.judge = () => ({ active: true, session_ended: false, least_token_version: 3 });
      await becomeCurrent(connected);
      expect(await connected.outcome(token)).toBe("TokenRevokedError");
      expect(await connected.outcome(await sign(key))).toBe("accepted");
    });
  }

  test("rejects what the view has as revoked without asking auth", async () => {
    const { outcome } = connect({ maxStalenessSeconds: 0 });
    const sid = newId();
    await bench.endSession(sid);
    const token = await sign(key, { sid });
    await expect.poll(() => outcome(token), WAIT).toBe("TokenRevokedError");
    auth.batches.length = 0;
    expect(await outcome(token)).toBe("TokenRevokedError");
    expect(auth.batches).toEqual([]);
  });

  test("does not ask auth once watermarks arrive again", async () => {
    const connected = connect();
    await connected.outcome(await sign(key));
    await becomeCurrent(connected);
    auth.batches.length = 0;
    expect(await connected.outcome(await sign(key))).toBe("accepted");
    expect(auth.batches).toEqual([]);
  });
});

describe("verify while auth is down and the bus is up", () => {
  test("lets the view decide: valid tokens pass, revoked ones do not", async () => {
    const { outcome } = await connectCurrent({ maxStalenessSeconds: 0.2 });
    const [token, sid] = [await sign(key), newId()];
    await auth.stop();
    await bench.endSession(sid);
    const revoked = await sign(key, { sid });
    await expect.poll(() => outcome(revoked), WAIT).toBe("TokenRevokedError");
    await expect.poll(() => bench.records.some(({ auth: state }) => state === "unreachable"), WAIT).toBe(false);
    for (let count = 0; count < 20; count += 1) expect(await outcome(token)).toBe("accepted");
    expect(await outcome(revoked)).toBe("TokenRevokedError");
  });

  test("returns 503 while auth is running and faulty", async () => {
    const { outcome } = await connectCurrent({ maxStalenessSeconds: 0 });
    auth.instead = { status: 500 };
    expect(await outcome(await sign(key))).toBe("ServiceUnavailable");
  });

  test("returns 503 after the bus was wiped, until auth is up", async () => {
    const { outcome } = await connectCurrent({ maxStalenessSeconds: 0 });
    const token = await sign(key);
    await auth.stop();
    expect(await outcome(token)).toBe("accepted");
    await bench.server.restart({ wipe: true });
    await bench.makeStream();
    await expect.poll(() => outcome(token), WAIT).toBe("ServiceUnavailable");
    await bench.publishWatermark();
    await expect.poll(() => outcome(token), WAIT).toBe("accepted");
  });
});

describe("verify while the bus is down", () => {
  test("asks auth once the view is stale, returns 503 when auth is down too, and recovers", async () => {
    const connected = await connectCurrent({ maxStalenessSeconds: 0.3 });
    const { outcome } = connected;
    const [token, sid] = [await sign(key), newId()];
    const revoked = await sign(key, { sid });
    auth.judge = (claims) =>
      claims.sid === sid ? ENDED : { active: true, session_ended: false, least_token_version: 3 };
    await bench.server.stop();
    await expect.poll(() => outcome(revoked), WAIT).toBe("TokenRevokedError");
    expect(await outcome(token)).toBe("accepted");

    await auth.stop();
    await expect.poll(() => outcome(token), WAIT).toBe("ServiceUnavailable");
    expect(await outcome(revoked)).toBe("TokenRevokedError");

    await auth.start();
    await expect.poll(() => outcome(token), WAIT).toBe("accepted");

    await auth.stop();
    await bench.server.start();
    await becomeCurrent(connected);
    expect(await outcome(token)).toBe("accepted");
    expect(await outcome(revoked)).toBe("TokenRevokedError");
  });

  test("asks auth when the verifier started without the bus", async () => {
    await bench.server.stop();
    const { outcome, verifier } = connect();
    expect(await outcome(await sign(key))).toBe("accepted");
    expect(await verifier.ready()).toBe(true);
    await bench.server.start();
  });
});

describe("ready", () => {
  test("is true once keys are loaded and the view or auth can decide, and stays true", async () => {
    await auth.stop();
    const connected = connect();
    const { outcome, verifier } = connected;
    expect(await outcome(await sign(key))).toBe("ServiceUnavailable");
    expect(await verifier.ready()).toBe(false);
    auth.instead = { status: 503 };
    await auth.start();
    expect(await verifier.ready()).toBe(false);
    auth.instead = undefined;
    await expect.poll(() => verifier.ready(), WAIT).toBe(true);
    await auth.stop();
    await bench.server.stop();
    expect(await verifier.ready()).toBe(true);
    await bench.server.start();
  });

  test("is true with the view alone when auth is down after its keys were loaded", async () => {
    const connected = connect();
    expect(await connected.outcome(await sign(key))).toBe("accepted");
    await auth.stop();
    await becomeCurrent(connected);
    expect(await connected.verifier.ready()).toBe(true);
  });
});

test("the log has each change of who decides, and never a token", async () => {
  const connected = connect();
  const token = await sign(key);
  await connected.outcome(token);
  await becomeCurrent(connected);
  await connected.outcome(token);
  await connected.outcome(token);
  const lines = bench.records.map(({ msg }) => String(msg));
  expect(lines.filter((line) => line.includes("decides"))).toEqual([
    "revocation view is stale, auth decides about tokens",
    "revocation view decides about tokens",
  ]);
  const log = JSON.stringify(bench.records);
  expect(log).not.toContain(token.slice(-20));
  expect(log).not.toContain(INTROSPECTION_TOKEN);
});
