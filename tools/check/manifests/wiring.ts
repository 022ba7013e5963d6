import { readBy, whyRefused } from "../read-by.ts";
import { type Manifest, type Problem, selects, specsOf, type Workload, whereOf, workloadsOf } from "./document.ts";
import { environmentOf } from "./environment.ts";
import type { Overlay } from "./render.ts";
import { SERVICES } from "./rules.ts";

/** What is replaced when the manifests are rendered. */
const PLACEHOLDER = "set-by-kustomization";

/** `pnpm migrate` reads these, and ENVIRONMENT, which the image sets. */
const READ_BY_MIGRATE = ["DATABASE_URL", "AUTH_DATABASE_URL", "USER_DATABASE_URL"];

/** Whose config.ts reads a workload's environment: `pnpm ops` is auth to the database. */
function configurationOf({ name }: Workload): string | undefined {
  if (name === "ops") return "auth";
  return SERVICES.includes(name) ? name : undefined;
}

export async function variablesOf(workload: Workload): Promise<string[] | undefined> {
  if (workload.name === "migrate") return READ_BY_MIGRATE;
  const service = configurationOf(workload);
  return service === undefined ? undefined : await readBy(service);
}

/** Each variable of ours is one that is read, and with all of them the service would start: its own config.ts says so. */
async function checkEnvironment(manifests: readonly Manifest[]): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const workload of workloadsOf(manifests)) {
    const variables = await variablesOf(workload);
    const container = workload.pod.spec?.containers[0];
    if (!variables || !container) continue;
    const environment = environmentOf(manifests, container);
    const where = `${workload.kind}/${workload.name}`;
    for (const name of Object.keys(environment).filter((one) => !variables.includes(one)))
      problems.push({ where, what: `nothing reads ${name}` });
    if (workload.name === "migrate") {
      for (const name of variables.filter((one) => !environment[one])) problems.push({ where, what: `lacks ${name}` });
      continue;
    }
    const reason = await whyRefused(configurationOf(workload) ?? workload.name, environment);
    if (reason !== undefined) problems.push({ where, what: `it would not start: ${reason}` });
  }
  return problems;
}

/** Each Service leads to pods that have its port, and each route to a Service. */
function checkServices(manifests: readonly Manifest[]): Problem[] {
  const services = specsOf(manifests, "Service");
  const astray = services.filter(({ spec: { selector, ports } }) => {
    const pods = workloadsOf(manifests).filter(({ pod }) =>
      selects({ matchLabels: selector }, pod.metadata?.labels ?? {}),
    );
    const named = (port: string | number) =>
      pods.every(({ pod }) => pod.spec?.containers.some((one) => one.ports?.some(({ name }) => name === port)));
    return pods.length !== 1 || !ports.every(({ targetPort }) => named(targetPort));
  });
  const routes = specsOf(manifests, "HTTPRoute");
  const lost = routes.filter(({ spec }) =>
    (spec.rules ?? []).some(({ backendRefs = [] }) =>
      backendRefs.some(
        (backend) =>
          !services.some(
            ({ name, spec: { ports } }) => name === backend.name && ports.some(({ port }) => port === backend.port),
          ),
      ),
    ),
  );
  return [
    ...astray.map(({ name }) => ({ where: `Service/${name}`, what: "leads to no pods with its port" })),
    ...lost.map(({ name }) => ({ where: `HTTPRoute/${name}`, what: "leads to no Service" })),
  ];
}

/** Only a throw-away cluster has its secrets in a file; a namespace refuses what the restricted Pod Security Standard does. */
function checkRest(manifests: readonly Manifest[], overlay: Overlay): Problem[] {
  const enforced = "pod-security.kubernetes.io/enforce";
  return manifests.flatMap((manifest): Problem[] => {
    const where = whereOf(manifest);
    const found: Problem[] = [];
    if (manifest.kind === "Secret" && overlay !== "dev") found.push({ where, what: "a secret in a file" });
    if (manifest.kind === "Namespace" && manifest.metadata.labels?.[enforced] !== "restricted")
      found.push({ where, what: "does not enforce restricted" });
    if (JSON.stringify(manifest).includes(PLACEHOLDER)) found.push({ where, what: "a placeholder is left" });
    return found;
  });
}

/** Whether the parts of an overlay fit each other and the code. */
export async function checkWiring(manifests: readonly Manifest[], overlay: Overlay): Promise<Problem[]> {
  return [...(await checkEnvironment(manifests)), ...checkServices(manifests), ...checkRest(manifests, overlay)];
}
