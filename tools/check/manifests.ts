// `pnpm check manifests`: what k8s/ renders to, against Kubernetes' schemas, our rules, and the code. See --help.
import { whyNoKubectl } from "@gatehouse/test-kit/kubectl";
import { Command } from "commander";
import { SKIPPED } from "./run-check.ts";
import { checkArrows } from "./manifests/arrows.ts";
import type { Manifest, Problem } from "./manifests/document.ts";
import { OVERLAYS, type Overlay, render } from "./manifests/render.ts";
import { checkRules } from "./manifests/rules.ts";
import { checkFields, checkValues } from "./manifests/schemas.ts";
import { checkWiring } from "./manifests/wiring.ts";

type Check = (manifests: readonly Manifest[], overlay: Overlay) => Problem[] | Promise<Problem[]>;

const CHECKS: Readonly<Record<string, { readonly what: string; readonly check: Check }>> = {
  values: { what: "each document is valid by Kubernetes' OpenAPI schema", check: checkValues },
  fields: { what: "and has no field that the schema does not know", check: checkFields },
  rules: { what: "images, limits, Pod Security, probes, grace, replicas", check: checkRules },
  wiring: { what: "variables that the services read, Services, secrets", check: checkWiring },
  network: { what: "policies allow what the services' configuration uses, and nothing else", check: checkArrows },
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

const known = Object.entries(CHECKS).map(([name, { what }]) => `  ${name.padEnd(8)} ${what}`);
const program = new Command("pnpm check manifests")
  .description(
    `Renders the overlays of k8s/ and checks them; exit 1 when something is wrong. Asks no cluster.\n\n${known.join("\n")}`,
  )
  .option("--json", "the results as JSON")
  .action(checkManifests);

await program.parseAsync();
