// That k8s/ is right is said by `pnpm check manifests`. Here: that it would say so if it were not.
import { whyNoKubectl } from "@gatehouse/test-kit/kubectl";
import type { IContainer, IPodSpec } from "kubernetes-models/v1";
import { beforeAll, describe, expect, it } from "vitest";
import { checkArrows } from "../../check/manifests/arrows.ts";
import { type Manifest, type Policy, type Problem, workloadsOf } from "../../check/manifests/document.ts";
import { OVERLAYS, type Overlay, render } from "../../check/manifests/render.ts";
import { checkRules } from "../../check/manifests/rules.ts";
import { checkFields, checkValues } from "../../check/manifests/schemas.ts";
import { checkWiring } from "../../check/manifests/wiring.ts";

const reason = await whyNoKubectl();
if (reason !== undefined) console.warn(`skipped: ${reason}`);

const rendered = new Map<Overlay, Manifest[]>();

beforeAll(() => {
  if (reason === undefined) for (const overlay of OVERLAYS) rendered.set(overlay, render(overlay));
}, 180_000);

type Change = (manifests: Manifest[]) => void;

/** A copy of what an overlay renders to, changed. */
function changed(overlay: Overlay, change: Change): Manifest[] {
  const copy = structuredClone(rendered.get(overlay) ?? []);
  change(copy);
  return copy;
}

const texts = (problems: readonly Problem[]) => problems.map(({ where, what }) => `${where}: ${what}`).join("\n");

function find(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.find((one) => one.kind === kind && one.metadata.name.replace(/-[a-z0-9]{10}$/, "") === name);
  if (!found) throw new Error(`there is no ${kind} ${name}`);
  return found;
}

const pod = (work: (spec: IPodSpec) => void, name = "auth"): Change => {
  return (manifests) => {
    const workload = workloadsOf(manifests).find((one) => one.name === name);
    if (!workload?.pod.spec) throw new Error(`there is no ${name}`);
    work(workload.pod.spec);
  };
};
const container = (work: (first: IContainer) => void, name?: string): Change =>
  pod(({ containers: [first] }) => {
    if (first) work(first);
  }, name);
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

describe.skipIf(reason !== undefined)("the rules see", () => {
  it.each<[what: string, change: Change]>([
    ["has no version for its tag", container((one) => (one.image = "registry.example.com/gatehouse-auth:latest"))],
    ["has no version for its tag", container((one) => (one.image = "gatehouse-auth"))],
    ["gatehouse-auth:9.9.9 is not", container((one) => (one.image = "gatehouse-auth:9.9.9"))],
    ["is made for user 1000", pod((spec) => Object.assign(spec.securityContext ?? {}, { runAsUser: 1001 }))],
    ["lacks a request or a limit for memory", container((one) => delete one.resources?.limits?.["memory"])],
    ["lacks a request or a limit for cpu", container((one) => delete one.resources?.requests?.["cpu"], "migrate")],
    ["service may run as root", pod((spec) => (spec.securityContext = {}))],
    ["service runs as root", pod((spec) => Object.assign(spec.securityContext ?? {}, { runAsUser: 0 }))],
    ["has no seccomp profile", pod((spec) => delete spec.securityContext?.seccompProfile)],
    ["may gain privileges", container((one) => delete one.securityContext?.allowPrivilegeEscalation)],
    ["may write to its root", container((one) => delete one.securityContext?.readOnlyRootFilesystem)],
    ["keeps capabilities", container((one) => delete one.securityContext?.capabilities)],
    ["is privileged", container((one) => Object.assign(one.securityContext ?? {}, { privileged: true }))],
    ["is a path of the node", pod((spec) => (spec.volumes = [{ name: "host", hostPath: { path: "/" } }]))],
    ["shares a namespace with its node", pod((spec) => (spec.hostNetwork = true))],
    ["has a token of the API server", pod((spec) => delete spec.automountServiceAccountToken, "migrate")],
    ["Services overwrite variables such as AUTH_PORT", pod((spec) => delete spec.enableServiceLinks)],
    ["has no readiness probe", container((one) => delete one.readinessProbe)],
    ["the startup probe does not ask", container((one) => delete one.startupProbe)],
    ["the liveness probe does not ask for /health", container((one) => (one.livenessProbe = one.readinessProbe ?? {}))],
    ["port http is 9, and it listens on 8001", container((one) => (one.ports = [{ name: "http", containerPort: 9 }]))],
    ["gets SIGTERM while the Service", container((one) => delete one.lifecycle)],
    ["30 s are not more than 5 s and then 25 s", pod((spec) => (spec.terminationGracePeriodSeconds = 30))],
    ["keeps idle connections for 60s", idleConnections("60s")],
    ["keeps idle connections for 1h, and it for 3 s after SIGTERM", without("BackendTrafficPolicy", "gatehouse")],
    ["it may be alone", without("HorizontalPodAutoscaler", "auth")],
    ["no budget lets one go", without("PodDisruptionBudget", "auth")],
    ["nothing spreads it", pod((spec) => delete spec.topologySpreadConstraints)],
  ])("%s", (what, change) => {
    expect(texts(checkRules(changed("prod", change), "prod"))).toContain(what);
  });
});

describe.skipIf(reason !== undefined)("the wiring shows", () => {
  it.each<[what: string, overlay: Overlay, change: Change]>([
    ["Deployment/auth: nothing reads REDIS_URL", "prod", data("ExternalSecret", "gatehouse-auth", { REDIS_URL: "x" })],
    ["Job/migrate: lacks DATABASE_URL", "prod", data("ExternalSecret", "gatehouse-migrate", { DATABASE_URL: "" })],
    ["JWT_SECRET_KEY: is required", "prod", data("ExternalSecret", "gatehouse-auth", { JWT_SECRET_KEY: "" })],
    ["at least 32 characters", "prod", data("ExternalSecret", "gatehouse-user", { INTERNAL_API_TOKEN: "short" })],
    ["ALLOWED_HOSTS: is required in production", "prod", data("ConfigMap", "gatehouse-gateway", { ALLOWED_HOSTS: "" })],
    ["LOG_LEVEL: must be one of", "dev", data("ConfigMap", "gatehouse-common", { LOG_LEVEL: "loud" })],
    [": a secret in a file", "prod", (all) => void all.push(find(rendered.get("dev") ?? [], "Secret", "redis"))],
    ["Service/auth: leads to no pods", "dev", container((one) => (one.ports = []))],
    ["HTTPRoute/gatehouse: leads to no Service", "prod", without("Service", "gateway")],
    ["a placeholder is left", "prod", data("ConfigMap", "gatehouse-user", { X: "set-by-kustomization" })],
    [
      "Namespace/gatehouse: does not enforce",
      "prod",
      (all) => void Object.assign(find(all, "Namespace", "gatehouse").metadata, { labels: {} }),
    ],
  ])("%s", async (what, overlay, change) => {
    expect(texts(await checkWiring(changed(overlay, change), overlay))).toContain(what);
  });
});

const component = (name: string) => ({ podSelector: { matchLabels: { "app.kubernetes.io/component": name } } });
const namespace = (name: string) => ({ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } } });
const senders = ({ ingress }: Policy) => (ingress?.[0]?.from ?? []) as unknown[];
const ways = ({ egress }: Policy) => (egress ?? []) as unknown[];

describe.skipIf(reason !== undefined)("the network's policies are compared with the code", () => {
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
    [
      "gateway -> redis:6379 is allowed and not",
      "prod",
      data("ExternalSecret", "gatehouse-gateway", { REDIS_URL: "" }),
    ],
    ["auth -> user:8002 is allowed and not used", "dev", fromAuthToUser],
    ["user -> anywhere:443 is allowed", "prod", policy("user", (spec) => ways(spec).push({ ports: [{ port: 443 }] }))],
    [
      "cnpg-system -> auth:8001 is allowed",
      "prod",
      policy("auth", (spec) => senders(spec).push(namespace("cnpg-system"))),
    ],
    ["envoy-gateway-system -> gateway:8000 is used and not", "prod", without("NetworkPolicy", "edge")],
    ["AUTH_URL leads to user", "dev", data("ConfigMap", "gatehouse-gateway", { AUTH_URL: "http://user:8002" })],
    [
      "NATS_URL leads to nobody: bus",
      "prod",
      data("ExternalSecret", "gatehouse-user", { NATS_URL: "nats://bus:4222" }),
    ],
  ])("%s", async (what, overlay, change) => {
    expect(texts(await checkArrows(changed(overlay, change), overlay))).toContain(what);
  });

  it("and there must be one that denies what no other allows", async () => {
    await expect(checkArrows(changed("dev", without("NetworkPolicy", "deny-all")), "dev")).rejects.toThrow(
      "no policy denies all",
    );
  });
});

describe.skipIf(reason !== undefined)("Kubernetes' schemas refuse", () => {
  it("values that are none", async () => {
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

  it("fields that they do not know, at any depth", () => {
    const wrong = changed(
      "dev",
      container((one) => Object.assign(one.readinessProbe?.httpGet ?? {}, { pathh: "/" })),
    );
    expect(texts(checkFields(wrong, "changed"))).toMatch(/^Deployment\/auth: .*"pathh"/);
  });
});
