import {
  createLoadBalancer,
  type LoadBalancer,
  type RunningServices,
  type ServiceHandle,
  startServices,
} from "@gatehouse/test-kit";
import { STREAMS } from "@gatehouse/contracts";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, it } from "vitest";
import { call, newEmail, PASSWORD, register, until } from "@gatehouse/test-kit/api";
import { readStream } from "@gatehouse/test-kit/system";
import { startTraffic, type Traffic } from "./support/traffic.ts";
import { createWriteLog, type WriteLog } from "./support/write-log.ts";

/**
 * A release under load: two replicas of each service get SIGTERM and restart one after the other, all three services at the same
 * time. Clients reach the gateways through a load balancer; services find each other's replicas themselves.
 */
const ROUNDS = Number(process.env["ROLLING_RESTART_ROUNDS"] ?? 1);
/** Requests in progress at any time. */
const PEOPLE = 6;
/** Logins that wait in the hash queue of a process that gets SIGTERM. */
const QUEUE = 60;
/** The lease of rows that a killed relay had claimed; a relay that stops releases its rows. */
const LEASE_SECONDS = 5;

let system: RunningServices;
let balancer: LoadBalancer;
let writes: WriteLog;
let connection: NatsConnection;
let traffic: Traffic;
beforeAll(async () => {
  const auth = { PASSWORD_HASH_CONCURRENCY: "1", PASSWORD_HASH_MAX_WAIT_MS: "20000" };
  system = await startServices({ auths: 2, users: 2, gateways: 2, auth });
  writes = await createWriteLog(system.database.ownerUrl);
  connection = await connect({ servers: system.bus.url });
  balancer = await createLoadBalancer(system.gateways.map(({ url }) => url));
});
afterAll(async () => {
  await traffic?.stop();
  await balancer?.close();
  await connection?.close();
  await writes?.close();
  await system?.stop();
});

it(
  "a rolling restart of every process fails no request and delivers every event once",
  async () => {
    traffic = startTraffic(PEOPLE, balancer.next);
    for (let round = 0; round < ROUNDS; round += 1)
      await Promise.all([
        restartInTurn(system.gateways, uploadSlowly, () => balancer.untilReady(2)),
        restartInTurn(system.users, uploadSlowly),
        restartInTurn(system.auths, queueLogins),
      ]);
    await traffic.stop();

    expect(traffic.failures).toEqual([]);
    expect(traffic.answered()).toBeGreaterThan(100);
    await until(async () => (await writes.unpublished(await writes.now())) === 0);
    expect(await writes.late(LEASE_SECONDS)).toBe(0);
    await until(async () => (await writes.differing()) === 0);
    expect(await writes.repeated()).toBe(0);
    const registered = (await readStream(connection, STREAMS.user.name))
      .filter(({ event }) => event.type === "user.registered")
      .map(({ event }) => event.subject);
    expect(new Set(registered).size).toBe(registered.length);
    expect(registered).toEqual(expect.arrayContaining([...traffic.users]));
  },
  60_000 * ROUNDS,
);

async function restartInTurn(
  replicas: readonly ServiceHandle[],
  startLong: (url: string) => Promise<LongWork>,
  untilNoticed?: () => Promise<void>,
): Promise<void> {
  for (const replica of replicas) {
    await restart(replica, startLong);
    await untilNoticed?.();
  }
}

/** Starts long work at a replica, stops the replica meanwhile, and restarts it when the others serve. */
async function restart(replica: ServiceHandle, startLong: (url: string) => Promise<LongWork>): Promise<void> {
  const long = await startLong(replica.url);
  const stopped = replica.stop("SIGTERM");
  await long.finish();
  expect(await stopped, replica.name).toBe("exit code 0");
  const end = await writes.now();
  await until(async () => (await writes.unpublished(end)) === 0);
  await replica.start();
}

interface LongWork {
  /** Resolves at the end and rejects unless the answer is the usual one. */
  finish(): Promise<void>;
}

/** A registration whose second half is sent after the process stopped listening. */
async function uploadSlowly(url: string): Promise<LongWork> {
  const [first, second] = [`{"email":"${newEmail()}",`, `"password":"${PASSWORD}"}`];
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const answer = fetch(`${url}/v1/users`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: readable,
    duplex: "half",
  });
  await writer.write(Buffer.from(first));
  return {
    async finish() {
      await until(() =>
        fetch(`${url}/health`).then(
          () => false,
          () => true,
        ),
      );
      await writer.write(Buffer.from(second));
      await writer.close();
      expect((await answer).status).toBe(201);
    },
  };
}

/** Logins at auth, most of which wait in the queue when the first is answered. */
async function queueLogins(url: string): Promise<LongWork> {
  const { email } = await register(balancer.next());
  const form = { username: email, password: PASSWORD };
  let answered = 0;
  const logins = Array.from({ length: QUEUE }, async () => {
    const { status } = await call(url, "POST", "/v1/auth/login", { form });
    answered += 1;
    return status;
  });
  await Promise.race(logins);
  expect(answered).toBeLessThan(QUEUE / 2);
  return {
    async finish() {
      expect(new Set(await Promise.all(logins))).toEqual(new Set([200]));
    },
  };
}
