import { GRACE_SECONDS, STOP_SECONDS } from "@gatehouse/http/process";
import { SERVICES } from "@gatehouse/declarations";
import manifest from "../../../package.json" with { type: "json" };
import { environmentOf } from "./environment.ts";
import {
  type Labels,
  type Manifest,
  type Overlay,
  type Problem,
  selects,
  specsOf,
  whereOf,
  type Workload,
  workloadsOf,
} from "./manifest.ts";

type Rule = (workload: Workload, manifests: readonly Manifest[], overlay: Overlay) => Iterable<string>;

/** Rules for all workloads. The namespace enforces Pod Security `restricted`, so no rule repeats it. */
const POD_RULES: readonly Rule[] = [
  function* versions({ container: { image = "" } }) {
    if (!/:v?\d+\.\d+(\.\d+)?(-[\w.-]+)?$/.test(image)) yield `${image || "the image"} has no version in its tag`;
    if (/(^|\/)gatehouse-[a-z]+:/.test(image) && !image.endsWith(`:${manifest.version}`))
      yield `${image} is not version ${manifest.version}`;
  },
  function* limits({ container: { resources } }) {
    for (const resource of ["cpu", "memory"])
      if (resources?.requests?.[resource] === undefined || resources.limits?.[resource] === undefined)
        yield `lacks a request or a limit for ${resource}`;
  },
  function* leastAccess({ pod, container }) {
    if (pod.automountServiceAccountToken !== false) yield "has a token of the API server";
    if (pod.enableServiceLinks !== false) yield "Services overwrite variables such as AUTH_PORT";
    if (container.securityContext?.readOnlyRootFilesystem !== true) yield "may write to its root file system";
  },
  function* readiness({ kind, container }) {
    if (kind === "Deployment" && !container.readinessProbe) yield "has no readiness probe";
  },
];

const SERVICE_RULES: readonly Rule[] = [
  function* probes(workload, manifests) {
    const { startupProbe, livenessProbe, readinessProbe, ports } = workload.container;
    const probed = { startup: startupProbe, liveness: livenessProbe, readiness: readinessProbe };
    for (const [kind, probe] of Object.entries(probed)) {
      const path = kind === "readiness" ? "/health/ready" : "/health";
      if (probe?.httpGet?.path !== path || probe.httpGet.port !== "http")
        yield `its ${kind} probe does not request ${path} on port http`;
    }
    const listening = environmentOf(manifests, workload)[`${workload.name.toUpperCase()}_PORT`];
    const http = ports?.find((port) => port.name === "http")?.containerPort;
    if (String(http) !== listening) yield `port http is ${http}, but the service listens on ${listening}`;
  },
  function* grace({ pod: { terminationGracePeriodSeconds: seconds = 30 }, container }) {
    const wait = container.lifecycle?.preStop?.sleep?.seconds ?? 0;
    if (wait < 1) yield "has no preStop: it gets SIGTERM while the Service still leads to it";
    if (seconds <= wait + STOP_SECONDS)
      yield `is killed after ${seconds} s; preStop and drain take ${wait + STOP_SECONDS} s`;
  },
  function* idleConnections({ name }, manifests, overlay) {
    if (overlay !== "prod" || name !== "gateway") return;
    type Spec = { timeout?: { http?: { connectionIdleTimeout?: string } } };
    const [policy] = specsOf<Spec>(manifests, "BackendTrafficPolicy");
    const idle = policy?.spec.timeout?.http?.connectionIdleTimeout ?? "1h";
    if (!(Number(/^(\d+)s$/.exec(idle)?.[1]) < GRACE_SECONDS))
      yield `Envoy keeps idle connections for ${idle}, the gateway for ${GRACE_SECONDS} s after SIGTERM`;
  },
  function* replicas({ name }, manifests, overlay) {
    if (overlay !== "prod") return;
    for (const kind of ["HorizontalPodAutoscaler", "PodDisruptionBudget"])
      if (!specsOf(manifests, kind).some((one) => one.name === name)) yield `has no ${kind}`;
  },
];

type Service = { readonly selector: Labels; readonly ports: readonly { readonly targetPort: string }[] };

/** Every Service leads to pods that have its port. */
function checkServices(manifests: readonly Manifest[]): Problem[] {
  const workloads = workloadsOf(manifests);
  const leads = ({ selector, ports }: Service) =>
    workloads
      .filter(({ labels }) => selects({ matchLabels: selector }, labels))
      .some(({ container }) => ports.every((to) => container.ports?.some(({ name }) => name === to.targetPort)));
  return specsOf<Service>(manifests, "Service")
    .filter(({ spec }) => !leads(spec))
    .map(({ name }) => ({ where: `Service/${name}`, what: "leads to no pods with its port" }));
}

/** Checks all documents against the rules. */
export function checkRules(manifests: readonly Manifest[], overlay: Overlay): Problem[] {
  const documents = manifests.flatMap((one): Problem[] => {
    const found = [];
    if (one.kind === "Secret" && overlay !== "dev") found.push("is a secret in a file");
    if (one.kind === "Namespace" && one.metadata.labels?.["pod-security.kubernetes.io/enforce"] !== "restricted")
      found.push("does not enforce Pod Security restricted");
    if (JSON.stringify(one).includes("set-by-kustomization")) found.push("contains a placeholder");
    return found.map((what) => ({ where: whereOf(one), what }));
  });
  const workloads = workloadsOf(manifests).flatMap((workload) => {
    const isService = SERVICES.some(({ name }) => name === workload.name);
    return [...POD_RULES, ...(isService ? SERVICE_RULES : [])].flatMap((rule) =>
      [...rule(workload, manifests, overlay)].map((what) => ({ where: workload.where, what })),
    );
  });
  return [...documents, ...workloads, ...checkServices(manifests)];
}
