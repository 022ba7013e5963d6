import { assertNoSecrets, type RunningServices, startServices } from "@gatehouse/test-kit";
import { type OtlpReceiver, startOtlpReceiver } from "@gatehouse/test-kit/otlp";
import {
  checkQuery,
  dashboardQueries,
  type DescribedInstrument,
  instrumentOf,
  ruleQueries,
  seriesOf,
  withRecorded,
} from "@gatehouse/test-kit/prometheus";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, FIRST_ADMIN, loginAdmin, NEW_PASSWORD, newEmail, PASSWORD, register } from "@gatehouse/test-kit/api";
import { packagesLoaded, TELLS_WHAT_IT_LOADS } from "./support/loaded-packages.ts";

/** The three services and the audit log as processes, with a collector that runs until a test stops it. */
let receiver: OtlpReceiver;
let system: RunningServices;
beforeAll(async () => {
  receiver = await startOtlpReceiver();
  system = await startServices({
    auth: FIRST_ADMIN,
    redis: false,
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_HEADERS: "x-tenant=gatehouse-tests",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test,service.name=somebody-else",
      OTEL_METRIC_EXPORT_INTERVAL: "250",
      OTEL_LOGS_EXPORTER: "otlp",
      OTEL_BLRP_SCHEDULE_DELAY: "250",
      OTEL_BSP_SCHEDULE_DELAY: "50",
      // The exporter retries this long before an export fails.
      OTEL_EXPORTER_OTLP_TIMEOUT: "1000",
      REVOCATION_MAX_STALENESS_SECONDS: "2",
      RATE_LIMIT_ENABLED: "true",
      RATE_LIMIT_DEFAULT: "10000/minute",
      RATE_LIMIT_LOGIN: "10000/minute",
      RATE_LIMIT_REGISTER: "10000/minute",
    },
  });
  const folder = "examples/audit-log";
  const url = await system.database.addService({ folder, schema: "audit", role: "gatehouse_audit" });
  const environment = { AUDIT_DATABASE_URL: url };
  await system.add({ folder, portVariable: "AUDIT_PORT", busUser: "audit-log", environment });
});
afterAll(async () => {
  await system.stop();
  await receiver.stop();
});

const from = (service: string) =>
  receiver.points.filter(({ resource }) => resource["service.name"] === `gatehouse-${service}`);
const valuesOf = (service: string, metric: string, attributes: Record<string, string> = {}) =>
  from(service)
    .filter((point) => point.metric === metric)
    .filter((point) => Object.entries(attributes).every(([name, value]) => point.attributes[name] === value))
    .map(({ value }) => value);

/** The entries of docs/operations/metrics.md for OpenTelemetry's Node instrumentation. */
function documentedRuntimeMetrics(): string[] {
  const page = readFileSync(new URL("../../docs/operations/metrics.md", import.meta.url), "utf8");
  return [...page.matchAll(/^- `((?:nodejs|v8js)\.[a-z0-9_.]+)`/gm)].map(([, name = ""]) => name).toSorted();
}

describe("metrics of real services", () => {
  it("arrive with the SDK's resource attributes under the service's name", async () => {
    for (const service of ["gateway", "auth", "user"])
      await expect
        .poll(() => from(service).at(-1)?.resource)
        .toMatchObject({
          "service.name": `gatehouse-${service}`,
          "service.instance.id": expect.stringMatching(/^[0-9a-f-]{36}$/),
          "deployment.environment.name": "test",
        });
    expect(new Set(receiver.headers.map((headers) => headers["x-tenant"]))).toEqual(new Set(["gatehouse-tests"]));
  });

  it("describe each process: event loop delay and time, heap, garbage collection", async () => {
    for (const service of ["gateway", "auth", "user"]) {
      await expect.poll(() => valuesOf(service, "nodejs.eventloop.delay.p99").at(-1)).toBeGreaterThan(0);
      const runtime = () =>
        new Set(from(service).flatMap(({ metric }) => (/^(nodejs|v8js)\./.test(metric) ? [metric] : [])));
      await expect.poll(() => [...runtime()].toSorted()).toEqual(documentedRuntimeMetrics());
    }
  });

  it("describe the revocation view: freshness, entries and deciding source", async () => {
    const admin = await loginAdmin(system.url);
    const user = await register(system.url);
    const entries = (service: string) => valuesOf(service, "gatehouse.revocation.view.entries").at(-1) ?? 0;
    await expect.poll(() => entries("gateway") - entries("user")).toBe(0);
    const before = entries("gateway");
    await call(system.url, "POST", "/v1/auth/logout", { token: user.token });
    for (const service of ["gateway", "user"]) {
      await expect.poll(() => valuesOf(service, "gatehouse.revocation.view.staleness").at(-1)).toBeLessThan(5);
      await expect.poll(() => entries(service)).toBe(before + 1);
    }
    await expect
      .poll(async () => {
        await call(system.url, "GET", "/v1/users/me", { token: admin.token });
        return valuesOf("gateway", "gatehouse.revocation.decider.changes", { decider: "view" });
      })
      .toContain(1);
  });

  it("count the outbox and the consumers", async () => {
    const created = { consumer: "user", subject: "auth.account.created", outcome: "handled" };
    const before = valuesOf("user", "gatehouse.consumer.events", created).at(-1) ?? 0;
    await register(system.url);
    await expect.poll(() => valuesOf("user", "gatehouse.consumer.events", created).at(-1)).toBeGreaterThan(before);
    await expect
      .poll(() => valuesOf("auth", "gatehouse.outbox.published", { stream: "AUTH_EVENTS" }).at(-1))
      .toBeGreaterThan(0);
    await expect.poll(() => valuesOf("auth", "gatehouse.outbox.depth").at(-1)).toBe(0);
  });

  it("count dead letters by consumer and type", async () => {
    const nats = await connect({ servers: system.bus.url });
    await nats.request("auth.account.updated", "no event of ours");
    await nats.close();
    const given = { consumer: "user", subject: "auth.account.updated", outcome: "dead_lettered" };
    await expect.poll(() => valuesOf("user", "gatehouse.consumer.events", given).at(-1)).toBe(1);
  });

  it("show a bus outage: the view ages, introspection runs, events wait", async () => {
    const user = await register(system.url);
    await system.bus.stop();
    await call(system.url, "POST", "/v1/auth/change-password", {
      token: user.token,
      json: { current_password: PASSWORD, new_password: NEW_PASSWORD },
    });
    await expect.poll(() => valuesOf("auth", "gatehouse.outbox.depth").at(-1)).toBeGreaterThan(0);
    await expect.poll(() => valuesOf("auth", "gatehouse.outbox.oldest_age").at(-1)).toBeGreaterThan(0);
    await expect.poll(() => valuesOf("gateway", "gatehouse.revocation.view.staleness").at(-1)).toBeGreaterThan(2);
    expect((await call(system.url, "GET", "/v1/users/me", { token: user.token })).status).toBe(401);
    await expect
      .poll(() => valuesOf("gateway", "gatehouse.introspection.requests", { outcome: "answers" }).at(-1))
      .toBeGreaterThan(0);
    await system.bus.start();
    await expect.poll(() => valuesOf("auth", "gatehouse.outbox.depth").at(-1)).toBe(0);
  });
});

describe("logs of real services", () => {
  it("are exported when enabled, each line with trace and correlation id", async () => {
    const [trace, caller] = [randomBytes(16).toString("hex"), randomBytes(8).toString("hex")];
    const headers = { "x-correlation-id": "found-by-this", traceparent: `00-${trace}-${caller}-01` };
    await call(system.url, "GET", "/v1/users/me", { token: (await register(system.url)).token, headers });
    const lines = () => receiver.logs.filter(({ attributes }) => attributes["correlation_id"] === "found-by-this");
    await expect
      .poll(() => lines().map(({ resource, severity, body }) => [resource["service.name"], severity, body]))
      .toEqual(
        expect.arrayContaining([
          ["gatehouse-gateway", "info", "request"],
          ["gatehouse-user", "info", "request"],
        ]),
      );
    expect(new Set(lines().map(({ traceId }) => traceId))).toEqual(new Set([trace]));
    await expect
      .poll(() => receiver.spans.filter(({ traceId }) => traceId === trace).map(({ spanId }) => spanId))
      .toEqual(expect.arrayContaining(lines().map(({ spanId }) => spanId)));
  });
});

describe("queries of dashboards and rules", () => {
  const queries = [...dashboardQueries(), ...ruleQueries()];
  const received = new Map<string, DescribedInstrument>();
  let read = 0;
  const complaints = () => {
    // Each point once: a busy process receives nothing.
    for (const point of receiver.points.slice(read)) {
      const instrument = instrumentOf(point);
      received.set(JSON.stringify([instrument.name, instrument.attributes]), instrument);
    }
    read = receiver.points.length;
    const known = withRecorded(seriesOf([...received.values()]));
    return queries.flatMap(({ where, expression }) =>
      checkQuery(expression, known).map((complaint) => `${where}: ${complaint}`),
    );
  };

  /** Causes the failures whose counters exist only after a failure. */
  async function causeTrouble(): Promise<void> {
    const user = await register(system.url);
    const refresh = () => call(system.url, "POST", "/v1/auth/refresh", { cookie: user.cookie });
    expect([(await refresh()).status, (await refresh()).status]).toEqual([200, 401]);
    await rejectLogins();
    const overlong = { username: user.email, password: "x".repeat(129) };
    const statuses = [];
    for (let attempt = 0; attempt < 12; attempt++)
      statuses.push((await call(system.url, "POST", "/v1/auth/login", { form: overlong })).status);
    expect(statuses).toContain(429);
  }

  /** One hash at a time and no waiting: of simultaneous logins all but one are rejected, unless they arrive one by one. */
  async function rejectLogins(): Promise<void> {
    await system.auth.restart({ PASSWORD_HASH_CONCURRENCY: "1", PASSWORD_HASH_MAX_WAIT_MS: "1" });
    const logIn = (_: unknown, index: number) =>
      call(system.url, "POST", "/v1/auth/login", { form: { username: `${index}@example.com`, password: PASSWORD } });
    const statuses = async () => (await Promise.all(Array.from({ length: 40 }, logIn))).map(({ status }) => status);
    await expect.poll(statuses).toContain(503);
    await system.auth.restart({ PASSWORD_HASH_CONCURRENCY: "", PASSWORD_HASH_MAX_WAIT_MS: "" });
  }

  /** Simultaneous registrations of one email, of which the database rejects all but one. */
  async function registerAtOnce(): Promise<void> {
    const json = { email: newEmail(), password: PASSWORD };
    const rivals = Array.from({ length: 4 }, () => call(system.url, "POST", "/v1/users", { json }));
    expect((await Promise.all(rivals)).filter(({ status }) => status === 201)).toHaveLength(1);
  }

  it("name only series that real services send", async () => {
    await causeTrouble();
    const afterRegistrations = async () => {
      await registerAtOnce();
      return complaints();
    };
    await expect.poll(afterRegistrations, { interval: 250 }).toEqual([]);
  });
});

describe("docs/operations/metrics.md", () => {
  it("lists every metric that real services send", () => {
    const page = readFileSync(new URL("../../docs/operations/metrics.md", import.meta.url), "utf8");
    const documented = new Set([...page.matchAll(/^- `([a-z0-9_.]+)`/gm)].map(([, name]) => name));
    const sent = new Set(receiver.points.map(({ metric }) => metric));
    expect([...sent].filter((metric) => !documented.has(metric))).toEqual([]);
  });
});

describe("the last measurements", () => {
  it("are sent when the service stops", async () => {
    await system.user.stop("SIGINT");
    await system.user.start({ OTEL_METRIC_EXPORT_INTERVAL: "3600000" });
    const before = valuesOf("user", "gatehouse.outbox.published").length;
    await register(system.url);
    expect(await system.user.stop("SIGINT")).toBe("exit code 0");
    // The registration's event, counted by a process that had exported nothing before.
    expect(valuesOf("user", "gatehouse.outbox.published").slice(before)).toEqual([1]);
  });
});

describe("OTEL_SDK_DISABLED", () => {
  it("keeps the SDK out of the process although an endpoint is set", async () => {
    await system.user.stop("SIGINT");
    await system.user.start({ ...TELLS_WHAT_IT_LOADS, OTEL_SDK_DISABLED: "true" });
    expect(packagesLoaded(system.user.logs())).toEqual(new Set(["@opentelemetry/api"]));
  });
});

describe("an unavailable collector", () => {
  it("costs one log line per signal and no request", async () => {
    // A restart: on a busy machine the previous process may have logged the line already.
    await system.gateways[0]?.stop("SIGINT");
    await receiver.stop();
    const earlier = system.gateways[0]?.logs().length;
    await system.gateways[0]?.start();
    // Refused, timed out, or both, depending on the machine.
    const complaints = () => {
      const lines = system.gateways[0]?.logs().slice(earlier) ?? [];
      return lines.flatMap((line) => /"msg":"(telemetry(?: cannot be exported|:))/.exec(line)?.[1] ?? []);
    };
    await expect.poll(complaints).not.toEqual([]);
    expect((await register(system.url)).token).not.toBe("");
    expect(await system.gateways[0]?.stop("SIGINT")).toBe("exit code 0");
    expect(complaints()).toEqual([...new Set(complaints())]);
  });
});

describe("all exported telemetry", () => {
  it("has no password, key, token, hash, name or email", () => {
    expect(receiver.logs.length).toBeGreaterThan(0);
    assertNoSecrets([{ name: "telemetry", lines: receiver.bodies }]);
  });
});
