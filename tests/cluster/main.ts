// `pnpm test:cluster`: the manifests in a cluster. See --help.
import { type Cluster, inNamespace, runKubectl, waitFor, whyNoKubectl } from "@gatehouse/test-kit/kubectl";
import { abortBySignal, note } from "@gatehouse/test-kit/run";
import { Command } from "commander";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { GATEWAY_TESTS, runElsewhere } from "../e2e/support/run-elsewhere.ts";
import { createTestOverlay } from "./overlay.ts";

interface Options {
  readonly context?: string;
  readonly overlay: string;
  readonly keep?: boolean;
}

async function testCluster({ context, overlay, keep }: Options): Promise<void> {
  if (context === undefined)
    return console.log("skipped: no cluster is named. Name one that may be changed: --context kind-kind");
  const reason = await whyNoKubectl();
  if (reason !== undefined) throw new Error(reason);
  const cluster = { context, namespace: `gatehouse-test-${randomBytes(4).toString("hex")}` };
  await runKubectl(cluster, "get", "nodes", "--request-timeout=10s");
  // An interrupted run deletes its namespace, too.
  const signal = abortBySignal();
  const testOverlay = createTestOverlay(overlay, cluster.namespace);
  try {
    note(`applying ${overlay} in the namespace ${cluster.namespace} of ${context}`);
    await runKubectl(cluster, "apply", "--kustomize", testOverlay.folder);
    await waitFor(cluster, "Available", signal, "deployment", "--all");
    await waitFor(cluster, "Ready", signal, "pod/door");
    process.exitCode = (await runTests(cluster, testOverlay.folder)) ? 0 : 1;
  } finally {
    testOverlay.remove();
    if (keep) note(`kept: kubectl --context ${context} delete namespace ${cluster.namespace}`);
    else {
      note("deleting the namespace");
      await runKubectl(cluster, "delete", "namespace", cluster.namespace, "--ignore-not-found");
    }
  }
}

/** First the tests that page through all users. Returns whether all passed. */
async function runTests(cluster: Cluster, overlay: string): Promise<boolean> {
  const args = inNamespace(cluster, ["port-forward", "--address=127.0.0.1", "pod/door", ":8000"]);
  const forward = spawn("kubectl", args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(forward, "exit");
  try {
    const [line] = (await Promise.race([once(createInterface(forward.stdout), "line"), ended])) as [unknown];
    forward.stdout.resume();
    const address = /^Forwarding from (127\.0\.0\.1:\d+)/.exec(String(line))?.[1];
    if (address === undefined) throw new Error(`kubectl ${args.join(" ")}: it printed or ended with ${String(line)}`);
    const environment = { CLUSTER: JSON.stringify(cluster), CLUSTER_OVERLAY: overlay };
    const url = `http://${address}`;
    const passed = await runElsewhere(url, GATEWAY_TESTS, environment);
    return (await runElsewhere(url, ["tests/cluster/cluster.test.ts"], environment)) && passed;
  } finally {
    forward.kill("SIGTERM");
    await ended;
  }
}

await new Command("pnpm test:cluster")
  .description(
    "Applies k8s/overlays/dev to a cluster in a namespace of its own, runs the end-to-end tests on it, replaces, deletes and scales pods\n" +
      "under load, checks the network policies, and deletes the namespace. The cluster must have the images: docs/operations/kubernetes.md.\n" +
      "Skipped without --context. Takes about six minutes.",
  )
  .option("--context <name>", "the cluster's context in kubectl's configuration; default: none")
  .option("--overlay <folder>", "a Kustomization over k8s/overlays/dev", "k8s/overlays/dev")
  .option("--keep", "keep the namespace")
  .action((options: Options) =>
    testCluster(options).catch((error: Error) => {
      console.error(error.message);
      process.exitCode = 1;
    }),
  )
  .parseAsync();
