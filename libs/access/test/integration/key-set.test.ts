import { recordTelemetry } from "@gatehouse/test-kit/telemetry";
import { createLogger } from "@gatehouse/observability";
import { createUpstream, type Upstream } from "@gatehouse/upstream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createKeySet, type KeySet } from "../../src/verification/key-set.ts";
import { type AuthServer, startAuthServer } from "../fixtures/auth-server.ts";
import { createKey } from "../fixtures/tokens.ts";

const logger = createLogger({ service: "test", level: "silent" });
let auth: AuthServer;
let second: AuthServer;
let keySet: KeySet | undefined;
let upstream: Upstream | undefined;

beforeEach(async () => {
  auth = await startAuthServer();
  second = await startAuthServer();
});
afterEach(async () => {
  keySet?.close();
  await upstream?.close();
  await auth.stop();
  await second.stop();
});

function create(urls = [auth.url], algorithms = ["EdDSA", "ES256", "RS256"]): KeySet {
  upstream = createUpstream({ urls });
  keySet = createKeySet({ auth: upstream, algorithms, logger });
  return keySet;
}

test("the set has keys of each algorithm and none for an unknown kid", async () => {
  const keys = [await createKey("EdDSA"), await createKey("ES256"), await createKey("RS256")];
  auth.keys = keys.map(({ jwk }) => jwk);
  const set = create();
  for (const { kid } of keys) expect(await set.keyFor(kid)).toMatchObject({ type: "public" });
  expect(set.isLoaded()).toBe(true);
  expect(await set.keyFor("nobody's")).toBeUndefined();
});

test("each fetch is measured and belongs to no trace", async () => {
  const recorded = recordTelemetry();
  const key = await createKey();
  auth.keys = [key.jwk];
  await create().keyFor(key.kid);
  const points = await recorded.points("http.client.request.duration");
  expect(points).toMatchObject([
    { attributes: { "url.template": "/.well-known/jwks.json", "http.response.status_code": 200 } },
  ]);
  expect(recorded.spans()).toEqual([]);
  await recorded.stop();
});

test("keys of other algorithms and unreadable keys are skipped", async () => {
  const [wanted, unwanted] = [await createKey("ES256"), await createKey("RS256")];
  const broken = { kid: "broken", alg: "ES256", use: "sig", kty: "EC", crv: "P-256", x: "?", y: "?" };
  const secret = { kid: "secret", alg: "ES256", use: "sig", kty: "oct", k: "c2VjcmV0" };
  auth.keys = [broken, secret, unwanted.jwk, wanted.jwk];
  const set = create([auth.url], ["ES256"]);
  expect(await set.keyFor(wanted.kid)).toBeDefined();
  for (const kid of ["broken", "secret", unwanted.kid]) expect(await set.keyFor(kid)).toBeUndefined();
});

test("keyFor throws ServiceUnavailable until auth is up for the first time", async () => {
  const key = await createKey();
  auth.keys = [key.jwk];
  await auth.stop();
  const set = create();
  await expect(set.keyFor(key.kid)).rejects.toMatchObject({ code: "ServiceUnavailable", status: 503 });
  expect(set.isLoaded()).toBe(false);
  await auth.start();
  await expect.poll(() => set.isLoaded()).toBe(true);
  expect(await set.keyFor(key.kid)).toBeDefined();
});

test("the last valid set is kept when auth is down, faulty or returns no keys", async () => {
  const key = await createKey();
  auth.keys = [key.jwk];
  const set = create();
  await set.keyFor(key.kid);
  const asked = () => auth.asked.length;
  for (const instead of [
    { status: 500 },
    { status: 200, body: { keys: "none" } },
    { status: 200, body: { keys: [] } },
  ]) {
    auth.instead = instead;
    const before = asked();
    // An unknown kid makes it ask again.
    await expect
      .poll(async () => [await set.keyFor("unknown"), asked() > before], { timeout: 5_000 })
      .toEqual([undefined, true]);
    expect(await set.keyFor(key.kid)).toBeDefined();
  }
  await auth.stop();
  expect(await set.keyFor(key.kid)).toBeDefined();
});

test("a new key is fetched once for all waiting requests", async () => {
  const [old, young] = [await createKey(), await createKey()];
  auth.keys = [old.jwk];
  const set = create();
  await set.keyFor(old.kid);
  auth.keys = [old.jwk, young.jwk];
  await expect
    .poll(
      async () => {
        const keys = await Promise.all(Array.from({ length: 50 }, () => set.keyFor(young.kid)));
        return keys.every((key) => key !== undefined);
      },
      { timeout: 5_000 },
    )
    .toBe(true);
  expect(auth.asked).toHaveLength(2);
});

test("many unknown kids cause one fetch", async () => {
  auth.keys = [(await createKey()).jwk];
  const set = create();
  await set.keyFor("invented");
  const asked = auth.asked.length;
  for (let count = 0; count < 500; count += 1) await set.keyFor(`invented-${count}`);
  expect(auth.asked.length - asked).toBeLessThanOrEqual(1);
});

test("the other replica is asked at once when one is down", async () => {
  const key = await createKey();
  second.keys = [key.jwk];
  await auth.stop();
  expect(await create([auth.url, second.url]).keyFor(key.kid)).toBeDefined();
});

test("close ends a fetch that auth does not answer", async () => {
  auth.instead = "silence";
  const set = create();
  const waiting = set.keyFor("any");
  await expect.poll(() => auth.asked).toHaveLength(1);
  set.close();
  await expect(waiting).rejects.toMatchObject({ code: "ServiceUnavailable" });
});
