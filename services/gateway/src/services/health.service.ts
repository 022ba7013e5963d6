import { type ComponentStatus, type DetailedHealth, Readiness } from "@gatehouse/contracts";
import type { Upstream } from "@gatehouse/upstream";

const CACHE_MS = 1_000;
const PROBE_TIMEOUT_MS = 1_000;
const ORDER: readonly ComponentStatus[] = ["healthy", "degraded", "unhealthy"];

export interface HealthServiceDeps {
  readonly upstreams: Readonly<Record<string, Upstream>>;
  readonly isRedisReady: () => boolean;
  readonly isBusConnected: () => boolean;
  /** A monotonic clock in milliseconds. */
  readonly now?: () => number;
}

/**
 * Creates the health check of the whole system (docs/reference/http.md). A result is cached for a second, so that
 * clients cannot make the gateway probe more often.
 */
export function createHealthService({ now = () => performance.now(), ...deps }: HealthServiceDeps) {
  let cached: { until: number; health: Promise<DetailedHealth> } | undefined;
  return {
    detailed(): Promise<DetailedHealth> {
      const time = now();
      if (!cached || cached.until <= time) cached = { until: time + CACHE_MS, health: checkSystem(deps) };
      return cached.health;
    },
  };
}
export type HealthService = ReturnType<typeof createHealthService>;

async function checkSystem(deps: Omit<HealthServiceDeps, "now">): Promise<DetailedHealth> {
  const services = await Promise.all(
    Object.entries(deps.upstreams).map(async ([name, upstream]) => [name, await readinessOf(upstream)] as const),
  );
  const known = services.flatMap(([, replicas]) => replicas).filter((each) => each !== undefined);
  const components = {
    // Without any response the database counts as unhealthy.
    database: worst(
      known.map(({ checks }) => checks["database"]),
      "unhealthy",
    ),
    redis: deps.isRedisReady() ? "healthy" : "degraded",
    nats: worst([deps.isBusConnected() ? "healthy" : "unhealthy", ...known.map(({ checks }) => checks["nats"])]),
    ...Object.fromEntries(services.map(([name, replicas]) => [name, serviceStatus(replicas)])),
  } as const;
  return { status: worst(Object.values(components)), ...components } as DetailedHealth;
}

async function readinessOf(upstream: Upstream): Promise<(Readiness | undefined)[]> {
  const responses = await upstream.probe("/health/ready", PROBE_TIMEOUT_MS);
  return responses.map((response) => Readiness.safeParse(response?.body).data);
}

/** Returns healthy when every replica is ready, degraded when some are. */
function serviceStatus(replicas: readonly (Readiness | undefined)[]): ComponentStatus {
  const ready = replicas.filter((each) => each?.status === "ready").length;
  if (ready === replicas.length) return "healthy";
  return ready > 0 ? "degraded" : "unhealthy";
}

function worst(statuses: readonly (ComponentStatus | undefined)[], none: ComponentStatus = "healthy"): ComponentStatus {
  const known = statuses.filter((each) => each !== undefined);
  if (known.length === 0) return none;
  return ORDER[Math.max(...known.map((each) => ORDER.indexOf(each)))] as ComponentStatus;
}
