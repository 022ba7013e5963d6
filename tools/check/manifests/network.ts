import { calledBy, SERVICES, serviceNamed, urlVariableOf } from "@gatehouse/declarations";
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { environmentOf } from "./environment.ts";
import {
  type Labels,
  type Manifest,
  type Overlay,
  type Problem,
  type Selector,
  selects,
  specsOf,
  workloadsOf,
} from "./manifest.ts";

/** The part of a NetworkPolicy's spec that this check reads. */
export interface Policy {
  readonly podSelector: Selector;
  readonly policyTypes: readonly string[];
  readonly ingress?: readonly Rule[];
  readonly egress?: readonly Rule[];
}

interface Rule {
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
  readonly ports?: readonly { readonly port: number }[];
}

type Peer = { readonly podSelector?: Selector; readonly namespaceSelector?: Selector };
type Pod = { readonly component: string; readonly labels: Labels };

/** A variable with a URL, and the component and port that it must lead to. */
type Target = readonly [variable: string, component: string, port: number];

/** Hosts whose component has another name. */
const COMPONENTS: Labels = {
  "postgres-rw": "postgres-server",
  "postgres-pooler": "postgres",
  "redis-haproxy": "redis",
};

/** What ends TLS in production. In dev it is `kubectl port-forward`, which no policy applies to. */
const EDGE = { dev: [], prod: ["envoy-gateway-system -> gateway:8000"] };

const COMPONENT = "app.kubernetes.io/component";

/** Returns the labels of the pods that charts and operators create in production. */
function labelsOfCharts(manifests: readonly Manifest[]): Labels[] {
  const charts = ["nats", "redis"].map((chart): unknown =>
    parse(readFileSync(new URL(`../../../k8s/overlays/prod/charts/${chart}.yaml`, import.meta.url), "utf8")),
  );
  return labelsIn([charts, manifests.filter(({ kind }) => kind === "Cluster" || kind === "Pooler")]);
}

function labelsIn(value: unknown): Labels[] {
  if (typeof value !== "object" || value === null) return [];
  return COMPONENT in value ? [value as Labels] : Object.values(value).flatMap(labelsIn);
}

/** Returns what a workload connects to, by the declaration of its service. */
function targetsOf(name: string, environment: Labels): Target[] {
  const service = SERVICES.find((one) => one.name === name);
  const databases = SERVICES.flatMap(({ database }) => database?.urlVariable ?? []);
  const postgres = (variable: string): Target => [variable, "postgres", 5432];
  if (name === "migrate") return ["DATABASE_URL", ...databases].map(postgres);
  if (name === "ops") return [postgres("AUTH_DATABASE_URL"), ["NATS_URL", "nats", 4222]];
  if (!service) return [];
  const { database, publishes, consumes, verifiesTokens, usesRedis } = service;
  const targets = calledBy(service).map((one): Target => [urlVariableOf(one), one, serviceNamed(one).port.number]);
  if (database) targets.push(postgres(database.urlVariable));
  if (publishes ?? consumes ?? verifiesTokens) targets.push(["NATS_URL", "nats", 4222]);
  if (usesRedis) targets.push(["REDIS_URL", "redis", 6379]);
  if (environment["OTEL_EXPORTER_OTLP_ENDPOINT"]) targets.push(["OTEL_EXPORTER_OTLP_ENDPOINT", "observability", 4318]);
  return targets;
}

/**
 * Returns the connections that both sides allow, as `gateway -> auth:8001`. Pods of another namespace have the name of that namespace,
 * and a rule without a peer leads to `anywhere`. DNS is left out.
 */
function allowedConnections(policies: readonly Policy[], pods: readonly Pod[]): string[] {
  function namesOf({ podSelector, namespaceSelector }: Peer): string[] {
    const namespace = namespaceSelector?.matchLabels?.["kubernetes.io/metadata.name"] ?? "anywhere";
    if (namespaceSelector || !podSelector) return namespace === "kube-system" ? [] : [namespace];
    return pods.filter(({ labels }) => selects(podSelector, labels)).map(({ component }) => component);
  }
  const connections = (direction: "ingress" | "egress") =>
    pods.flatMap(({ component, labels }) =>
      policies
        .filter(({ podSelector }) => selects(podSelector, labels))
        .flatMap((policy) => policy[direction] ?? [])
        .flatMap(({ from, to, ports = [] }) =>
          (from ?? to ?? [{}])
            .flatMap(namesOf)
            .map((peer) => (direction === "egress" ? `${component} -> ${peer}` : `${peer} -> ${component}`))
            .flatMap((pair) => ports.map(({ port }) => `${pair}:${port}`)),
        ),
    );
  const [sent, received] = [connections("egress"), connections("ingress")];
  const names = new Set(pods.map(({ component }) => component));
  const isOutside = (one: string) => one.split(/ -> |:/, 2).some((name) => !names.has(name));
  return [...sent.filter((one) => isOutside(one) || received.includes(one)), ...received.filter(isOutside)];
}

/** The policies allow the connections that the services declare and configure, and no others. */
export function checkNetwork(manifests: readonly Manifest[], overlay: Overlay): Problem[] {
  const problems: Problem[] = [];
  const used = new Set(EDGE[overlay]);
  const ours: string[] = [];
  for (const workload of workloadsOf(manifests)) {
    const { name, where } = workload;
    const environment = environmentOf(manifests, workload);
    const targets = targetsOf(name, environment);
    if (targets.length > 0) ours.push(name);
    for (const [variable, component, port] of targets) {
      const url = environment[variable] ? new URL(environment[variable]) : undefined;
      const [host = "", namespace] = url?.hostname.split(".") ?? [];
      const actual = namespace ?? COMPONENTS[host] ?? host;
      used.add(`${name} -> ${actual.startsWith(component) ? actual : component}:${port}`);
      if (!actual.startsWith(component) || Number(url?.port) !== port)
        problems.push({ where, what: `${variable} leads to ${url?.host ?? "nothing"}, not to ${component}:${port}` });
    }
  }

  const policies = specsOf<Policy>(manifests, "NetworkPolicy").map(({ spec }) => spec);
  const labels = workloadsOf(manifests).map((one) => one.labels);
  if (overlay === "prod") labels.push(...labelsOfCharts(manifests));
  const pods = labels.map((one) => ({ component: one[COMPONENT] ?? "unlabeled", labels: one }));
  const isOurs = (one: string) => one.split(/ -> |:/, 2).some((name) => ours.includes(name));
  const allowed = allowedConnections(policies, pods).filter(isOurs);
  const deniesAll = ({ podSelector, policyTypes, ingress, egress }: Policy) =>
    Object.keys(podSelector).length === 0 && policyTypes.length === 2 && !ingress && !egress;
  return [
    ...problems,
    ...(policies.some(deniesAll) ? [] : ["no policy denies all other connections"]).map(inPolicies),
    ...[...used].filter((one) => !allowed.includes(one)).map((one) => inPolicies(`${one} is used and not allowed`)),
    ...allowed.filter((one) => !used.has(one)).map((one) => inPolicies(`${one} is allowed and not used`)),
  ];
}

const inPolicies = (what: string): Problem => ({ where: "NetworkPolicy", what });
