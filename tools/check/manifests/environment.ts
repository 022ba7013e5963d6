import { SERVICES } from "@gatehouse/declarations";
import { readBy, whyRefused } from "../read-by.ts";
import { type Manifest, type Problem, type Workload, workloadsOf } from "./manifest.ts";

/** Replaces `{{ .NAME }}` by a value of that shape; the real one is in the store. */
const fill = (template: string) =>
  template.replaceAll(/\{\{ \.([A-Z_]+) \}\}/g, (_all, name: string) =>
    name.endsWith("_EMAIL") ? "admin@example.com" : `s${"0".repeat(48)}`,
  );

/** Returns the data of a ConfigMap, of a Secret, or of the Secret that an ExternalSecret creates. */
function dataOf(manifests: readonly Manifest[], kinds: readonly string[], name: string): Record<string, string> {
  const source = manifests.find(({ kind, metadata }) => kinds.includes(kind) && metadata.name === name);
  if (!source) throw new Error(`${kinds[0]} ${name} does not exist.`);
  const { target } = (source.spec ?? {}) as { target?: { template: { data: Record<string, string> } } };
  const isSecret = source.kind === "Secret";
  return Object.fromEntries(
    Object.entries(target?.template.data ?? source.data ?? {}).map(([key, value]) => [
      key,
      isSecret ? Buffer.from(value, "base64").toString() : fill(value),
    ]),
  );
}

/**
 * Returns the environment of a workload's container, with made-up values for what a secret store holds.
 * @throws Error when the manifests lack a ConfigMap or Secret that it names
 */
export function environmentOf(manifests: readonly Manifest[], { container }: Workload): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const { configMapRef, secretRef } of container.envFrom ?? []) {
    if (configMapRef?.name) Object.assign(environment, dataOf(manifests, ["ConfigMap"], configMapRef.name));
    if (secretRef?.name) Object.assign(environment, dataOf(manifests, ["Secret", "ExternalSecret"], secretRef.name));
  }
  for (const { name, value, valueFrom } of container.env ?? [])
    environment[name] = value ?? String(container.resources?.limits?.[valueFrom?.resourceFieldRef ? "cpu" : ""]);
  return environment;
}

const MIGRATE_VARIABLES = ["DATABASE_URL", ...SERVICES.flatMap(({ database }) => database?.urlVariable ?? [])];

/** Every variable in the manifests is one that the workload reads, and the service would start with all of them. */
export async function checkEnvironment(manifests: readonly Manifest[]): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const workload of workloadsOf(manifests)) {
    const { name, where } = workload;
    // `pnpm ops` reads the configuration of auth.
    const service = name === "ops" ? "auth" : SERVICES.find((one) => one.name === name)?.name;
    if (!service && name !== "migrate") continue;
    const environment = environmentOf(manifests, workload);
    const known = service ? await readBy(service) : MIGRATE_VARIABLES;
    const unread = Object.keys(environment).filter((one) => !known.includes(one));
    problems.push(...unread.map((one) => ({ where, what: `nothing reads ${one}` })));
    const missing = service ? [] : known.filter((one) => !environment[one]);
    problems.push(...missing.map((one) => ({ where, what: `${one} is not set` })));
    const reason = service && (await whyRefused(service, environment));
    if (reason) problems.push({ where, what: `it would not start: ${reason}` });
  }
  return problems;
}
