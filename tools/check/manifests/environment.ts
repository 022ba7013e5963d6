import type { IContainer, IEnvFromSource } from "kubernetes-models/v1";
import type { Manifest } from "./document.ts";

/** What the store holds for `{{ .NAME }}` is not known here: a secret that is long enough stands for it. */
const SECRET = `s${"0".repeat(48)}`;
const fill = (template: string) =>
  template.replaceAll(/\{\{ \.([A-Z_]+) \}\}/g, (_all, name: string) =>
    name.endsWith("_EMAIL") ? "admin@example.com" : SECRET,
  );

/** The data of a ConfigMap, of a Secret, or of the Secret that an ExternalSecret makes. */
function dataOf(manifests: readonly Manifest[], kinds: readonly string[], name: string): Record<string, string> {
  const source = manifests.find(({ kind, metadata }) => kinds.includes(kind) && metadata.name === name);
  if (!source) throw new Error(`there is no ${kinds[0]} ${name}`);
  if (source.kind === "ConfigMap") return { ...source.data };
  const decode = (value: string) => Buffer.from(value, "base64").toString();
  const template = (source.spec as { target?: { template?: { data?: Record<string, string> } } } | undefined)?.target
    ?.template?.data;
  const values = source.kind === "Secret" ? source.data : template;
  return Object.fromEntries(
    Object.entries(values ?? {}).map(([key, value]) => [key, source.kind === "Secret" ? decode(value) : fill(value)]),
  );
}

function dataFrom(manifests: readonly Manifest[], { configMapRef, secretRef }: IEnvFromSource): Record<string, string> {
  if (configMapRef?.name) return dataOf(manifests, ["ConfigMap"], configMapRef.name);
  if (secretRef?.name) return dataOf(manifests, ["Secret", "ExternalSecret"], secretRef.name);
  return {};
}

/**
 * The environment that a container would get; what a secret store holds is made up.
 * @throws Error when it names something that is not among the manifests
 */
export function environmentOf(manifests: readonly Manifest[], container: IContainer): Record<string, string> {
  const environment = Object.assign(
    {},
    ...(container.envFrom ?? []).map((from) => dataFrom(manifests, from)),
  ) as Record<string, string>;
  for (const { name, value, valueFrom } of container.env ?? []) {
    const resource = valueFrom?.resourceFieldRef?.resource;
    if (value !== undefined) environment[name] = value;
    else if (resource === "limits.cpu") environment[name] = String(container.resources?.limits?.["cpu"]);
    else throw new Error(`where the value of ${name} comes from is not understood here`);
  }
  return environment;
}
