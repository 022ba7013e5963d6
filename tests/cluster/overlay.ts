import { copyFileSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { FIRST_ADMIN } from "@gatehouse/test-kit/api";
import { AUTH_VARIABLES, GATEWAY_VARIABLES, INTERNAL_API_TOKEN } from "../e2e/support/run-elsewhere.ts";

const DOOR = fileURLToPath(new URL("door.yaml", import.meta.url));

const VARIABLES = { "gatehouse-gateway": GATEWAY_VARIABLES, "gatehouse-auth": AUTH_VARIABLES };
const SECRETS = { "gatehouse-auth": { ...FIRST_ADMIN, INTERNAL_API_TOKEN }, "gatehouse-user": { INTERNAL_API_TOKEN } };

/** Three replicas of each fit on a node of two cores. */
const SMALL = [{ op: "replace", path: "/spec/template/spec/containers/0/resources/requests/cpu", value: "50m" }];

/** The door uses the overlay's image of the tools. */
const IMAGE_OF_THE_DOOR = {
  source: { kind: "Job", name: "migrate", fieldPath: "spec.template.spec.containers.0.image" },
  targets: [{ select: { kind: "Pod", name: "door" }, fieldPaths: ["spec.containers.0.image"] }],
};

/** A Kustomization over another one with another namespace, the door, and variables for tests. */
export interface TestOverlay {
  readonly folder: string;
  remove(): void;
}

/** @param base the folder of the tested Kustomization */
export function createTestOverlay(base: string, namespace: string): TestOverlay {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), "gatehouse-cluster-"));
  copyFileSync(DOOR, join(folder, "door.yaml"));
  const kustomization = {
    apiVersion: "kustomize.config.k8s.io/v1beta1",
    kind: "Kustomization",
    namespace,
    // Kustomize takes no absolute path.
    resources: [relative(folder, realpathSync(resolve(base))), "door.yaml"],
    replacements: [IMAGE_OF_THE_DOOR],
    configMapGenerator: merging(VARIABLES),
    secretGenerator: merging(SECRETS),
    patches: ["gateway", "auth", "user"].map((name) => ({
      target: { kind: "Deployment", name },
      patch: stringify(SMALL),
    })),
  };
  writeFileSync(join(folder, "kustomization.yaml"), stringify(kustomization));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Generators that add to existing ones. */
function merging(contents: Readonly<Record<string, Readonly<Record<string, string>>>>): object[] {
  return Object.entries(contents).map(([name, values]) => ({
    name,
    behavior: "merge",
    literals: Object.entries(values).map(([key, value]) => `${key}=${value}`),
  }));
}
