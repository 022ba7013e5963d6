// `pnpm check`: everything that can be said about the code without running it. See --help.
import { Argument, Command } from "commander";
import { type Check, type CheckResult, runCheck } from "./run-check.ts";

const CHECKS: readonly Check[] = [
  { name: "types", what: "tsc: the types of everything", command: ["tsc", "-p", "."] },
  { name: "lint", what: "oxlint: rules, and the boundaries between packages and layers", command: ["oxlint"] },
  { name: "format", what: "oxfmt: the one way to write it", command: ["oxfmt", "--check"] },
  {
    name: "exports",
    what: "knip: exports, files and dependencies that nothing uses",
    command: ["knip", "--no-config-hints"],
  },
  {
    name: "asyncapi",
    what: "docs/asyncapi.json is what the events' schemas say",
    command: ["node", "tools/asyncapi/main.ts", "--check"],
  },
  {
    name: "dashboards",
    what: "Grafana's dashboards are what tools/dashboards says",
    command: ["node", "tools/dashboards/main.ts", "--check"],
  },
  {
    name: "manifests",
    what: "k8s/ renders, and fits Kubernetes' schemas, the rules, and what the services read",
    command: ["node", "tools/check/manifests.ts"],
  },
];

/** One after the other: the second formats what the first has changed. */
const FIXES: readonly Check[] = [
  { name: "lint", what: "", command: ["oxlint", "--fix"] },
  { name: "format", what: "", command: ["oxfmt"] },
];

interface Options {
  readonly fix?: boolean;
  readonly json?: boolean;
}

const line = ({ name, passed, seconds }: CheckResult) =>
  `${passed ? "ok    " : "FAILED"}  ${name.padEnd(10)} ${seconds.toFixed(1)} s`;

async function check(names: readonly string[], { fix, json }: Options): Promise<void> {
  if (fix) for (const one of FIXES) await runCheck(one);
  const wanted = CHECKS.filter(({ name }) => names.length === 0 || names.includes(name));
  const results = await Promise.all(
    wanted.map(async (one) => {
      const result = await runCheck(one);
      if (!json) console.log(line(result));
      return result;
    }),
  );
  const failed = results.filter(({ passed }) => !passed);
  if (json) console.log(JSON.stringify({ checks: results }));
  else for (const { name, output } of failed) console.log(`\n── ${name} ──\n${output.trim()}`);
  if (failed.length === 0) return;
  if (!json)
    console.log(`\n${failed.length} of ${results.length} checks failed. \`pnpm check --fix\` mends what a tool can.`);
  process.exitCode = 1;
}

const known = CHECKS.map(({ name, what }) => `  ${name.padEnd(10)} ${what}`).join("\n");
const program = new Command("pnpm check")
  .description(`Static checks, side by side; exit 1 when one fails.\n\n${known}`)
  .addArgument(new Argument("[names...]", "only these").choices(CHECKS.map(({ name }) => name)))
  .option("--fix", "first mend and format what the tools can")
  .option("--json", "the results as JSON")
  .action(check);

await program.parseAsync();
