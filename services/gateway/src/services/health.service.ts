import { type ComponentStatus, type DetailedHealth, Readiness } from "@gatehouse/contracts";
import type { Upstream } from "@gatehouse/upstream";

const KEPT_MS = 1_000;
const PROBE_TIMEOUT_MS = 1_000;
const ORDER: readonly ComponentStatus[] = ["healthy", "degraded", "unhealthy"];

export interface HealthParts {
  readonly auth: Upstream;
  readonly user: Upstream;
  readonly isRedisReady: () => boolean;
  readonly isBusConnected: () => boolean;
  /** A monotonic clock in milliseconds. */
  readonly now?: () => number;
}

/**
 * The whole system as the gateway sees it (contract, section 2). One answer serves everybody for a second,
 * so that nobody can make the gateway probe faster than that.
 */
export function createHealthService({ now = () => performance.now(), ...parts }: HealthParts) {
  let kept: { until: number; answer: Promise<DetailedHealth> } | undefined;
  return {
    detailed(): Promise<DetailedHealth> {
      const time = now();
      if (!kept || kept.until <= time) kept = { until: time + KEPT_MS, answer: look(parts) };
      return kept.answer;
    },
  };
}
export type HealthService = ReturnType<typeof createHealthService>;

async function look(parts: Omit<HealthParts, "now">): Promise<DetailedHealth> {
  const [auth, user] = await Promise.all([readinessOf(parts.auth), readinessOf(parts.user)]);
  const told = [...auth, ...user].filter((each) => each !== undefined);
  const components = {
    // Who cannot be asked says nothing; with nobody to ask nothing good is known.
    database: worst(
      told.map(({ checks }) => checks["database"]),
      "unhealthy",
    ),
    redis: parts.isRedisReady() ? "healthy" : "degraded",
    nats: worst([parts.isBusConnected() ? "healthy" : "unhealthy", ...told.map(({ checks }) => checks["nats"])]),
    auth: serviceStatus(auth),
    user: serviceStatus(user),
  } as const;
  return { status: worst(Object.values(components)), ...components };
}

async function readinessOf(upstream: Upstream): Promise<(Readiness | undefined)[]> {
  const answers = await upstream.probe("/health/ready", PROBE_TIMEOUT_MS);
  return answers.map((answer) => Readiness.safeParse(answer?.body).data);
}

/** Healthy with every replica ready, degraded while some are. */
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
