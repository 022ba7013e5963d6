import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Manifest, type Problem, whereOf } from "./manifest.ts";

const CACHE = fileURLToPath(new URL("../../../.cache/manifests/", import.meta.url));

/** Packages with the schemas of API groups; kubernetes-models has the groups of Kubernetes itself. */
const PACKAGES: Readonly<Record<string, string>> = {
  "external-secrets.io": "@kubernetes-models/external-secrets",
  "gateway.networking.k8s.io": "@kubernetes-models/gateway-api",
};
const packageOf = ({ apiVersion }: Manifest) => PACKAGES[apiVersion.split("/")[0] ?? ""] ?? "kubernetes-models";

/** Custom resources without a package: only their operator in a cluster can check them. */
const WITHOUT_SCHEMA = ["postgresql.cnpg.io/v1", "gateway.envoyproxy.io/v1alpha1"];
const withSchema = (manifests: readonly Manifest[]) =>
  manifests.filter(({ apiVersion }) => !WITHOUT_SCHEMA.includes(apiVersion));

type Model = new (data: unknown) => { validate(): void };

/** Checks formats, patterns and bounds with validators made from Kubernetes' OpenAPI documents. They accept unknown fields. */
export async function checkValues(manifests: readonly Manifest[]): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const manifest of withSchema(manifests)) {
    const path = `${packageOf(manifest)}/${manifest.apiVersion}/${manifest.kind}`;
    try {
      const { [manifest.kind]: KindModel } = (await import(path)) as Record<string, Model>;
      if (!KindModel) throw new Error(`${path} has no schema`);
      new KindModel(manifest).validate();
    } catch (error) {
      problems.push({ where: whereOf(manifest), what: (error as Error).message });
    }
  }
  return problems;
}

/**
 * Finds unknown fields with the compiler: each document becomes a constant of the type made from the same OpenAPI documents, and a
 * literal may have no other fields than its type.
 */
export function checkFields(manifests: readonly Manifest[], name: string): Problem[] {
  const known = withSchema(manifests);
  const lines = known.map((manifest, index) => {
    const type = `import("${packageOf(manifest)}/${manifest.apiVersion}").I${manifest.kind}`;
    return `export const d${index}: ${type} = ${JSON.stringify(manifest)};`;
  });
  mkdirSync(CACHE, { recursive: true });
  const file = `${CACHE}${name}.ts`;
  writeFileSync(file, lines.join("\n"));
  const tsc = fileURLToPath(new URL("bin/tsc", import.meta.resolve("typescript/package.json")));
  const options = [
    "--noEmit",
    "--ignoreConfig",
    "--strict",
    "--skipLibCheck",
    "--module",
    "nodenext",
    "--pretty",
    "false",
  ];
  const { status, stdout, error } = spawnSync(process.execPath, [tsc, ...options, file], { encoding: "utf8" });
  if (error) throw error;
  const found = [...stdout.matchAll(/\((\d+),\d+\): error TS\d+: (.*)/g)].map(([, line, what = ""]) => {
    const manifest = known[Number(line) - 1];
    return { where: manifest ? whereOf(manifest) : name, what };
  });
  return status === 0 || found.length > 0 ? found : [{ where: name, what: `tsc ended with ${status}: ${stdout}` }];
}
