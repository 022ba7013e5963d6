import { readFileSync } from "node:fs";
import type { IContainer, IPodSpec } from "kubernetes-models/v1";
import { type Manifest, type Problem, selects, specsOf, type Workload, workloadsOf } from "./document.ts";
import { environmentOf } from "./environment.ts";
import type { Overlay } from "./render.ts";

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
const { version: VERSION } = JSON.parse(read("package.json")) as { version: string };

/** Within how many seconds of SIGTERM a service has ended, and for how many it keeps idle connections. */
const [STOP_SECONDS, GRACE_SECONDS] = ["STOP_SECONDS", "GRACE_SECONDS"].map((name) =>
  Number(new RegExp(`const ${name} = (\\d+);`).exec(read("libs/http/src/process/run-process.ts"))?.[1]),
) as [number, number];

/** Who runs the images; V8's cache in them is for that user alone. */
const IMAGE_USER = Number(/^USER (\d+):\d+$/m.exec(read("deploy/Dockerfile"))?.[1]);

export const SERVICES: readonly string[] = ["gateway", "auth", "user"];

interface Rule {
  readonly name: string;
  /** What is wrong with a workload, as far as this rule is about it. */
  check(workload: Workload, manifests: readonly Manifest[], overlay: Overlay): Iterable<string>;
}

const specOf = ({ pod }: Workload): IPodSpec => pod.spec ?? { containers: [] };
const containersOf = (workload: Workload): IContainer[] => [
  ...(specOf(workload).initContainers ?? []),
  ...specOf(workload).containers,
];
const isService = ({ kind, name }: Workload) => kind === "Deployment" && SERVICES.includes(name);

const image: Rule = {
  name: "an image has a version, and ours that of this repository and the user for whom it is made",
  *check(workload) {
    for (const { image: tagged = "" } of containersOf(workload)) {
      if (!/:v?\d+\.\d+(\.\d+)?(-[\w.-]+)?$/.test(tagged)) yield `${tagged || "an image"} has no version for its tag`;
      if (!/(^|\/)gatehouse-[a-z]+:/.test(tagged)) continue;
      if (specOf(workload).securityContext?.runAsUser !== IMAGE_USER) yield `${tagged} is made for user ${IMAGE_USER}`;
      if (!tagged.endsWith(`:${VERSION}`)) yield `${tagged} is not ${VERSION}`;
    }
  },
};

const resources: Rule = {
  name: "a container asks for CPU and memory, and has a limit for both",
  *check(workload) {
    for (const { name, resources: { requests = {}, limits = {} } = {} } of containersOf(workload))
      for (const resource of ["cpu", "memory"])
        if (requests[resource] === undefined || limits[resource] === undefined)
          yield `${name} lacks a request or a limit for ${resource}`;
  },
};

const restricted: Rule = {
  name: "a pod passes the restricted Pod Security Standard, with a root file system that is read only",
  *check(workload) {
    const { securityContext: pod = {}, hostNetwork, hostPID, hostIPC, volumes = [] } = specOf(workload);
    if (hostNetwork || hostPID || hostIPC) yield "it shares a namespace with its node";
    for (const { name, hostPath } of volumes) if (hostPath) yield `volume ${name} is a path of the node`;
    for (const { name, securityContext: own = {} } of containersOf(workload)) {
      if ((own.runAsNonRoot ?? pod.runAsNonRoot) !== true) yield `${name} may run as root`;
      if ((own.runAsUser ?? pod.runAsUser) === 0) yield `${name} runs as root`;
      if ((own.seccompProfile ?? pod.seccompProfile)?.type !== "RuntimeDefault") yield `${name} has no seccomp profile`;
      if (own.allowPrivilegeEscalation !== false) yield `${name} may gain privileges`;
      if (own.privileged) yield `${name} is privileged`;
      if (own.readOnlyRootFilesystem !== true) yield `${name} may write to its root file system`;
      if (!own.capabilities?.drop?.includes("ALL") || own.capabilities.add?.length) yield `${name} keeps capabilities`;
    }
  },
};

const nothingUnasked: Rule = {
  name: "a pod gets no token of the API server, and no variables for the Services around it",
  *check(workload) {
    if (specOf(workload).automountServiceAccountToken !== false) yield "it has a token of the API server";
    if (specOf(workload).enableServiceLinks !== false) yield "Services overwrite variables such as AUTH_PORT";
  },
};

const probes: Rule = {
  name: "a service is probed by its own paths on its own port, anything else that stays has a readiness probe",
  *check(workload, manifests) {
    if (workload.kind === "Job" || workload.kind === "CronJob") return;
    for (const container of specOf(workload).containers) {
      const { name, startupProbe, livenessProbe, readinessProbe, ports = [] } = container;
      if (!readinessProbe) yield `${name} has no readiness probe`;
      if (!isService(workload)) continue;
      const wanted = { startup: "/health", liveness: "/health", readiness: "/health/ready" };
      const actual = { startup: startupProbe, liveness: livenessProbe, readiness: readinessProbe };
      for (const [kind, path] of Object.entries(wanted)) {
        const { httpGet } = actual[kind as keyof typeof actual] ?? {};
        if (httpGet?.path !== path || httpGet.port !== "http")
          yield `the ${kind} probe does not ask for ${path} on http`;
      }
      const listening = environmentOf(manifests, container)[`${workload.name.toUpperCase()}_PORT`];
      const http = ports.find((port) => port.name === "http")?.containerPort;
      if (String(http) !== listening) yield `port http is ${http}, and it listens on ${listening}`;
    }
  },
};

const grace: Rule = {
  name: "a service may finish its drain before it is killed",
  *check(workload) {
    if (!isService(workload)) return;
    const { terminationGracePeriodSeconds: seconds = 30, containers } = specOf(workload);
    for (const { name, lifecycle } of containers) {
      const wait = lifecycle?.preStop?.sleep?.seconds ?? 0;
      if (wait < 1) yield `${name} gets SIGTERM while the Service still leads to it`;
      if (seconds <= wait + STOP_SECONDS) yield `${seconds} s are not more than ${wait} s and then ${STOP_SECONDS} s`;
    }
  },
};

const idleConnections: Rule = {
  name: "the edge gives an idle connection up before a gateway that is leaving does",
  *check({ name }, manifests, overlay) {
    if (overlay !== "prod" || name !== "gateway") return;
    const [policy] = specsOf(manifests, "BackendTrafficPolicy");
    const idle = policy?.spec.timeout?.http?.connectionIdleTimeout ?? "1h";
    if (!(Number(/^(\d+)s$/.exec(idle)?.[1]) < GRACE_SECONDS))
      yield `the edge keeps idle connections for ${idle}, and it for ${GRACE_SECONDS} s after SIGTERM`;
  },
};

const replicas: Rule = {
  name: "in production a service has several replicas, spread over nodes, of which one may go at a time",
  *check(workload, manifests, overlay) {
    if (overlay !== "prod" || !isService(workload)) return;
    const labels = workload.pod.metadata?.labels ?? {};
    const scaler = specsOf(manifests, "HorizontalPodAutoscaler").find(
      ({ spec: { scaleTargetRef } }) => scaleTargetRef.kind === "Deployment" && scaleTargetRef.name === workload.name,
    );
    if ((scaler?.spec.minReplicas ?? 1) < 2) yield "it may be alone";
    const budgets = specsOf(manifests, "PodDisruptionBudget").filter(({ spec }) => selects(spec.selector, labels));
    if (budgets.length !== 1 || budgets[0]?.spec.maxUnavailable !== 1) yield "no budget lets one go at a time";
    const spread = specOf(workload).topologySpreadConstraints ?? [];
    if (!spread.some((one) => one.topologyKey === "kubernetes.io/hostname" && selects(one.labelSelector, labels)))
      yield "nothing spreads it over nodes";
  },
};

const RULES: readonly Rule[] = [image, resources, restricted, nothingUnasked, probes, grace, idleConnections, replicas];

/** What the rules find in all workloads. */
export function checkRules(manifests: readonly Manifest[], overlay: Overlay): Problem[] {
  return workloadsOf(manifests).flatMap((workload) =>
    RULES.flatMap((rule) =>
      [...rule.check(workload, manifests, overlay)].map((what) => ({
        where: `${workload.kind}/${workload.name}`,
        what,
      })),
    ),
  );
}
