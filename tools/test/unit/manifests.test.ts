// `pnpm check manifests` checks k8s/. These tests check that it finds errors.
import { whyNoKubectl } from "@gatehouse/test-kit/kubectl";
import { beforeAll, describe, expect, it } from "vitest";
import { checkEnvironment } from "../../check/manifests/environment.ts";
import {
  type Manifest,
  type Overlay,
  OVERLAYS,
  type Problem,
  render,
  workloadsOf,
} from "../../check/manifests/manifest.ts";
import { checkNetwork, type Policy } from "../../check/manifests/network.ts";
import { checkRules } from "../../check/manifests/rules.ts";
import { checkFields, checkValues } from "../../check/manifests/schemas.ts";

const reason = await whyNoKubectl();
if (reason !== undefined) console.warn(`skipped: ${reason}`);

const rendered = new Map<Overlay, Manifest[]>();

beforeAll(() => {
  if (reason === undefined) for (const overlay of OVERLAYS) rendered.set(overlay, render(overlay));
}, 180_000);

type Change = (manifests: Manifest[]) => void;

/** Returns a changed copy of a rendered overlay. */
function changed(overlay: Overlay, change: Change): Manifest[] {
  const copy = structuredClone(rendered.get(overlay) ?? []);
  change(copy);
  return copy;
}

const texts = (problems: readonly Problem[]) => problems.map(({ where, what }) => `${where}: ${what}`).join("\n");

function find(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.find((one) => one.kind === kind && one.metadata.name.replace(/-[a-z0-9]{10}$/, "") === name);
  if (!found) throw new Error(`${kind} ${name} does not exist`);
  return found;
}

type Spec = ReturnType<typeof workloadsOf>[number];
const pod = (work: (spec: Spec["pod"]) => unknown, name = "auth"): Change => {
  return (manifests) => {
    const workload = workloadsOf(manifests).find((one) => one.name === name);
    if (!workload) throw new Error(`workload ${name} does not exist`);
    work(workload.pod);
  };
};
const container = (work: (first: Spec["container"]) => unknown, name?: string): Change =>
  pod(({ containers: [first] }) => first && work(first), name);
const without = (kind: string, name: string): Change => {
  return (manifests) => void manifests.splice(manifests.indexOf(find(manifests, kind, name)), 1);
};
const data = (kind: string, name: string, values: Record<string, string>): Change => {
  return (manifests) => {
    const source = find(manifests, kind, name) as { data?: object; spec?: { target: { template: { data: object } } } };
    Object.assign(source.spec?.target.template.data ?? source.data ?? {}, values);
  };
};
const idleConnections = (connectionIdleTimeout: string): Change => {
  return (manifests) =>
    void Object.assign(find(manifests, "BackendTrafficPolicy", "gatehouse"), {
      spec: { timeout: { http: { connectionIdleTimeout } } },
    });
};
const policy = (name: string, work: (spec: Policy) => unknown): Change => {
  return (manifests) => void work(find(manifests, "NetworkPolicy", name).spec as Policy);
};

describe.skipIf(reason !== undefined)("the rules report", () => {
  it.each<[what: string, change: Change]>([
    ["has no version in its tag", container((one) => (one.image = "registry.example.com/gatehouse-auth:latest"))],
    ["has no version in its tag", container((one) => (one.image = "gatehouse-auth"))],
    ["gatehouse-auth:9.9.9 is not", container((one) => (one.image = "gatehouse-auth:9.9.9"))],
    ["lacks a request or a limit for memory", container((one) => delete one.resources?.limits?.["memory"])],
    ["lacks a request or a limit for cpu", container((one) => delete one.resources?.requests?.["cpu"], "migrate")],
    ["may write to its root", container((one) => delete one.securityContext?.readOnlyRootFilesystem)],
    ["has a token of the API server", pod((spec) => delete spec.automountServiceAccountToken, "migrate")],
    ["Services overwrite variables such as AUTH_PORT", pod((spec) => delete spec.enableServiceLinks)],
    ["has no readiness probe", container((one) => delete one.readinessProbe)],
    ["startup probe does not request", container((one) => delete one.startupProbe)],
    ["liveness probe does not request /health", container((one) => (one.livenessProbe = one.readinessProbe ?? {}))],
    ["but the service listens on 8001", container((one) => (one.ports = [{ name: "http", containerPort: 9 }]))],
    ["gets SIGTERM while the Service", container((one) => delete one.lifecycle)],
    ["is killed after 30 s; preStop and drain take 30", pod((spec) => (spec.terminationGracePeriodSeconds = 30))],
    ["Envoy keeps idle connections for 60s", idleConnections("60s")],
    ["for 1h, the gateway for 3 s after SIGTERM", without("BackendTrafficPolicy", "gatehouse")],
    ["has no HorizontalPodAutoscaler", without("HorizontalPodAutoscaler", "auth")],
    ["has no PodDisruptionBudget", without("PodDisruptionBudget", "auth")],
    ["is a secret in a file", (all) => void all.push(find(rendered.get("dev") ?? [], "Secret", "redis"))],
    ["Service/auth: leads to no pods", container((one) => (one.ports = []))],
    ["contains a placeholder", data("ConfigMap", "gatehouse-user", { X: "set-by-kustomization" })],
    [
      "Namespace/gatehouse: does not enforce",
      (all) => void Object.assign(find(all, "Namespace", "gatehouse").metadata, { labels: {} }),
    ],
  ])("%s", (what, change) => {
    expect(texts(checkRules(changed("prod", change), "prod"))).toContain(what);
  });
});

describe.skipIf(reason !== undefined)("the check of the environment reports", () => {
  it.each<[what: string, overlay: Overlay, change: Change]>([
    ["Deployment/auth: nothing reads REDIS_URL", "prod", data("ExternalSecret", "gatehouse-auth", { REDIS_URL: "x" })],
    ["DATABASE_URL is not set", "prod", data("ExternalSecret", "gatehouse-migrate", { DATABASE_URL: "" })],
    ["JWT_SECRET_KEY: is required", "prod", data("ExternalSecret", "gatehouse-auth", { JWT_SECRET_KEY: "" })],
    ["at least 32 characters", "prod", data("ExternalSecret", "gatehouse-user", { INTERNAL_API_TOKEN: "short" })],
    ["ALLOWED_HOSTS: is required in production", "prod", data("ConfigMap", "gatehouse-gateway", { ALLOWED_HOSTS: "" })],
    ["LOG_LEVEL: must be one of", "dev", data("ConfigMap", "gatehouse-common", { LOG_LEVEL: "loud" })],
  ])("%s", async (what, overlay, change) => {
    expect(texts(await checkEnvironment(changed(overlay, change)))).toContain(what);
  });
});

const component = (name: string) => ({ podSelector: { matchLabels: { "app.kubernetes.io/component": name } } });
const namespace = (name: string) => ({ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } } });
const senders = ({ ingress }: Policy) => (ingress?.[0]?.from ?? []) as unknown[];
const ways = ({ egress }: Policy) => (egress ?? []) as unknown[];

describe.skipIf(reason !== undefined)("the check of the network reports", () => {
  const endpoint = (url: string) => data("ConfigMap", "gatehouse-common", { OTEL_EXPORTER_OTLP_ENDPOINT: url });
  const collector = "http://collector.observability:4318";
  const fromAuthToUser: Change = (all) => {
    policy("auth", (spec) => ways(spec).push({ to: [component("user")], ports: [{ port: 8002 }] }))(all);
    policy("user", (spec) => senders(spec).push(component("auth")))(all);
  };

  it.each<[what: string, overlay: Overlay, change: Change]>([
    ["gateway -> user:8002 is used and not allowed", "dev", policy("gateway", (spec) => ways(spec).splice(1, 1))],
    ["gateway -> user:8002 is used and not allowed", "dev", without("NetworkPolicy", "user")],
    ["auth -> nats:4222 is used and not allowed", "prod", policy("nats", (spec) => senders(spec).splice(1, 1))],
    ["migrate -> postgres-server:5432 is used and not", "prod", without("NetworkPolicy", "postgres-server")],
    ["ops -> nats:4222 is used and not allowed", "prod", without("NetworkPolicy", "ops")],
    ["auth -> observability:4318 is used and not allowed", "dev", endpoint(collector)],
    ["auth -> observability:4318 is allowed and not used", "prod", endpoint("")],
    ["REDIS_URL leads to nothing", "prod", data("ExternalSecret", "gatehouse-gateway", { REDIS_URL: "" })],
    ["auth -> user:8002 is allowed and not used", "dev", fromAuthToUser],
    ["user -> anywhere:443 is allowed", "prod", policy("user", (spec) => ways(spec).push({ ports: [{ port: 443 }] }))],
    [
      "cnpg-system -> auth:8001 is allowed",
      "prod",
      policy("auth", (spec) => senders(spec).push(namespace("cnpg-system"))),
    ],
    ["envoy-gateway-system -> gateway:8000 is used and not", "prod", without("NetworkPolicy", "edge")],
    [
      "AUTH_URL leads to user:8002, not to auth:8001",
      "dev",
      data("ConfigMap", "gatehouse-gateway", { AUTH_URL: "http://user:8002" }),
    ],
    [
      "NATS_URL leads to bus:4222, not to nats:4222",
      "prod",
      data("ExternalSecret", "gatehouse-user", { NATS_URL: "nats://bus:4222" }),
    ],
    ["no policy denies all other connections", "dev", without("NetworkPolicy", "deny-all")],
  ])("%s", (what, overlay, change) => {
    expect(texts(checkNetwork(changed(overlay, change), overlay))).toContain(what);
  });
});

describe.skipIf(reason !== undefined)("Kubernetes' schemas reject", () => {
  it("invalid values", async () => {
    const wrong = changed("prod", (all) => {
      container((one) => void (one.ports = [{ containerPort: "http" as unknown as number }]))(all);
      Object.assign(find(all, "ExternalSecret", "redis"), { spec: { refreshInterval: 1 } });
      Object.assign(find(all, "Service", "user"), { kind: "Servant" });
    });
    const judged = [
      find(wrong, "Deployment", "auth"),
      find(wrong, "ExternalSecret", "redis"),
      find(wrong, "Servant", "user"),
    ];
    const found = texts(await checkValues(judged));
    for (const where of ["Deployment/auth", "ExternalSecret/redis", "Servant/user"]) expect(found).toContain(where);
  });

  it("unknown fields at any depth", () => {
    const wrong = changed(
      "dev",
      container((one) => Object.assign(one.readinessProbe?.httpGet ?? {}, { pathh: "/" })),
    );
    expect(texts(checkFields(wrong, "changed"))).toMatch(/^Deployment\/auth: .*"pathh"/);
  });
});
