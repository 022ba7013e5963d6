// `pnpm check manifests`: compares what k8s/ renders to with Kubernetes' schemas, rules and the services. See --help.
import { whyNoKubectl } from "@gatehouse/test-kit/kubectl";
import { Command } from "commander";
import { checkEnvironment } from "./manifests/environment.ts";
import { type Manifest, type Overlay, OVERLAYS, type Problem, render } from "./manifests/manifest.ts";
import { checkNetwork } from "./manifests/network.ts";
import { checkRules } from "./manifests/rules.ts";
import { checkFields, checkValues } from "./manifests/schemas.ts";
import { SKIPPED } from "./run-check.ts";

type Check = (manifests: readonly Manifest[], overlay: Overlay) => Problem[] | Promise<Problem[]>;

const CHECKS: Readonly<Record<string, { readonly what: string; readonly check: Check }>> = {
  values: { what: "every document is valid by Kubernetes' OpenAPI schema", check: checkValues },
  fields: { what: "no document has a field that the schema does not have", check: checkFields },
  rules: { what: "images, limits, probes, time to stop, replicas, Services", check: checkRules },
  environment: { what: "the services read every variable and start with all of them", check: checkEnvironment },
  network: { what: "policies allow the connections that the services use, and no others", check: checkNetwork },
};

async function checkManifests({ json }: { json?: boolean }): Promise<void> {
  const reason = await whyNoKubectl();
  if (reason !== undefined) {
    console.error(reason);
    process.exitCode = SKIPPED;
    return;
  }
  const results = [];
  for (const overlay of OVERLAYS) {
    const manifests = render(overlay);
    for (const [name, { check }] of Object.entries(CHECKS)) {
      const problems = await check(manifests, overlay);
      results.push({ overlay, documents: manifests.length, check: name, problems });
      if (json) continue;
      console.log(`${problems.length === 0 ? "ok    " : "FAILED"}  ${overlay.padEnd(4)} ${name}`);
      for (const { where, what } of problems) console.log(`        ${where}: ${what}`);
    }
  }
  if (json) console.log(JSON.stringify({ results }));
  if (results.some(({ problems }) => problems.length > 0)) process.exitCode = 1;
}

const known = Object.entries(CHECKS).map(([name, { what }]) => `  ${name.padEnd(11)} ${what}`);
await new Command("pnpm check manifests")
  .description(`Renders and checks the overlays of k8s/ without a cluster. Exit 1 on a problem.\n\n${known.join("\n")}`)
  .option("--json", "print the results as JSON")
  .action(checkManifests)
  .parseAsync();
