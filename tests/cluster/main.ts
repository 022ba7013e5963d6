// `pnpm test:cluster`: the manifests, in a cluster. See --help.
import { abortBySignal } from "@gatehouse/test-kit/command";
import { type Cluster, runKubectl, waitFor, whyNoKubectl } from "@gatehouse/test-kit/kubectl";
import { Command } from "commander";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { GATEWAY_TESTS, runElsewhere } from "../e2e/support/run-elsewhere.ts";
import { createTestOverlay } from "./overlay.ts";
import { forwardPort } from "./port-forward.ts";

const CONFIG = fileURLToPath(new URL("vitest.config.ts", import.meta.url));

interface Options {
  readonly context?: string;
  readonly overlay: string;
  readonly keep?: boolean;
}

const note = (line: string) => console.error(`${new Date().toISOString()} ${line}`);

async function testCluster({ context, overlay, keep }: Options): Promise<void> {
  if (context === undefined) {
    console.log("skipped: no cluster is named. Name one that may be written to: --context kind-kind");
    return;
  }
  const cluster = await findCluster(context);
  if (typeof cluster === "string") {
    console.error(cluster);
    process.exitCode = 1;
    return;
  }
  // Whoever interrupts it is left with no namespace.
  const signal = abortBySignal();
  const testOverlay = createTestOverlay(overlay, cluster.namespace);
  try {
    note(`applying ${overlay} in the namespace ${cluster.namespace} of ${cluster.context}`);
    await runKubectl(cluster, "apply", "--kustomize", testOverlay.folder);
    await waitFor(cluster, "Available", signal, "deployment", "--all");
    await waitFor(cluster, "Ready", signal, "pod/door");
    process.exitCode = (await runTests(cluster, testOverlay.folder)) ? 0 : 1;
  } catch (error) {
    note(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  } finally {
    testOverlay.remove();
    if (keep) note(`kept: kubectl --context ${cluster.context} delete namespace ${cluster.namespace}`);
    else {
      note("deleting the namespace");
      await runKubectl(cluster, "delete", "namespace", cluster.namespace, "--ignore-not-found");
    }
  }
}

/** The cluster of a context, with a namespace that is not there yet; a reason, as text, when there is none. */
async function findCluster(context: string): Promise<Cluster | string> {
  const reason = await whyNoKubectl();
  if (reason !== undefined) return reason;
  const namespace = `gatehouse-test-${randomBytes(4).toString("hex")}`;
  const cluster = { context, namespace };
  return runKubectl(cluster, "get", "nodes", "--request-timeout=10s").then(
    () => cluster,
    (error: Error) => `no cluster answers. ${error.message}`,
  );
}

/** Those of one of each first, which page through all users. @returns whether all passed */
async function runTests(cluster: Cluster, overlay: string): Promise<boolean> {
  const door = await forwardPort(cluster, "door", 8000);
  const environment = { CLUSTER: JSON.stringify(cluster), CLUSTER_OVERLAY: overlay };
  try {
    const passed = await runElsewhere(CONFIG, door.url, GATEWAY_TESTS, environment);
    return (await runElsewhere(CONFIG, door.url, ["tests/cluster/cluster.test.ts"], environment)) && passed;
  } finally {
    await door.close();
  }
}

await new Command("pnpm test:cluster")
  .description(
    "Applies k8s/overlays/dev to a cluster in a namespace of its own, has the end-to-end tests ask it, replaces, deletes and scales pods\n" +
      "under load, tries who may talk to whom, and deletes the namespace. The cluster has the images already: docs/operations/kubernetes.md.\n" +
      "Skipped where no cluster is named. About six minutes.",
  )
  .option("--context <name>", "the cluster, by its name in kubectl's configuration; there is no default")
  .option(
    "--overlay <folder>",
    "a Kustomization over k8s/overlays/dev, for another registry or another cluster",
    "k8s/overlays/dev",
  )
  .option("--keep", "leave the namespace, to look at it")
  .action(testCluster)
  .parseAsync();
