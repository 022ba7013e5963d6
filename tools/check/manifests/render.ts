import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import type { Manifest } from "./document.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

export const OVERLAYS = ["dev", "prod"] as const;
export type Overlay = (typeof OVERLAYS)[number];

/**
 * What `kubectl apply --kustomize` would send. Nothing is asked of a cluster or of the network.
 * @throws Error with what Kustomize says
 */
export function render(overlay: Overlay): Manifest[] {
  const { status, stdout, stderr, error } = spawnSync("kubectl", ["kustomize", `k8s/overlays/${overlay}`], {
    cwd: ROOT,
    encoding: "utf8",
    maxBuffer: 16 * 1024 * 1024,
  });
  // What is deprecated is said on standard error, and ends some day.
  if (error || status !== 0 || stderr !== "") throw error ?? new Error(`k8s/overlays/${overlay}: ${stderr.trim()}`);
  return parseAllDocuments(stdout).map((document) => withoutLineBreaks(document.toJS() as Manifest));
}

/** Kustomize breaks long base64 into lines, as Go's decoder allows; validators and Node do not all agree. */
function withoutLineBreaks(manifest: Manifest): Manifest {
  if (manifest.kind !== "Secret") return manifest;
  const lines = Object.entries(manifest.data ?? {}).map(([key, value]) => [key, value.replaceAll("\n", "")] as const);
  return { ...manifest, data: Object.fromEntries(lines) };
}
