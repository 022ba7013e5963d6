import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Manifest, type Problem, whereOf } from "./document.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const CACHE = join(ROOT, ".cache", "manifests");

/** Where the schemas of an API group are, which this package's own come from; kubernetes-models has those of Kubernetes itself. */
const PACKAGES: Readonly<Record<string, string>> = {
  "external-secrets.io": "@kubernetes-models/external-secrets",
  "gateway.networking.k8s.io": "@kubernetes-models/gateway-api",
};

/** Custom resources whose schemas no package carries: only the operator's own, in a cluster, can judge them. */
const WITHOUT_SCHEMA = new Set(["postgresql.cnpg.io/v1", "gateway.envoyproxy.io/v1alpha1"]);

interface Model {
  new (data: unknown): { validate(): void };
}

const packageOf = ({ apiVersion }: Manifest) => PACKAGES[apiVersion.split("/")[0] ?? ""] ?? "kubernetes-models";

/** Formats, patterns and bounds, by validators that were made from the OpenAPI documents; they let unknown fields pass. */
export async function checkValues(manifests: readonly Manifest[]): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const manifest of manifests.filter(({ apiVersion }) => !WITHOUT_SCHEMA.has(apiVersion))) {
    try {
      // By its own path: a whole group is hundreds of modules.
      const path = `${packageOf(manifest)}/${manifest.apiVersion}/${manifest.kind}`;
      const models = (await import(path)) as Record<string, Model>;
      const KindModel = models[manifest.kind];
      if (!KindModel) throw new Error(`there is no ${path}`);
      new KindModel(manifest).validate();
    } catch (error) {
      problems.push({ where: whereOf(manifest), what: (error as Error).message });
    }
  }
  return problems;
}

/**
 * Fields that Kubernetes does not know, and would drop or refuse, by the compiler: each document is the value of a constant whose type was made from
 * the same OpenAPI documents, and a literal may have no other fields than its type.
 */
export function checkFields(manifests: readonly Manifest[], name: string): Problem[] {
  const known = manifests.filter(({ apiVersion }) => !WITHOUT_SCHEMA.has(apiVersion));
  const lines = known.map((manifest, index) => {
    const type = `import("${packageOf(manifest)}/${manifest.apiVersion}").I${manifest.kind}`;
    return `export const d${index}: ${type} = ${JSON.stringify(manifest)};`;
  });
  mkdirSync(CACHE, { recursive: true });
  const file = join(CACHE, `${name}.ts`);
  writeFileSync(file, lines.join("\n"));
  const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
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
  if (status === 0) return [];
  const found = [...stdout.matchAll(/\((\d+),\d+\): error TS\d+: (.*)/g)].map(([, line, what = ""]) => {
    const manifest = known[Number(line) - 1];
    return { where: manifest ? whereOf(manifest) : name, what };
  });
  return found.length > 0 ? found : [{ where: name, what: `tsc ended with ${status}: ${stdout}` }];
}
