// `pnpm check`: the static checks. See --help.
import { Argument, Command } from "commander";
import { type Check, type CheckResult, runCheck } from "./run-check.ts";

const CHECKS: readonly Check[] = [
  { name: "types", what: "tsc: all types", command: ["tsc", "-p", "."] },
  { name: "lint", what: "oxlint: rules, and imports between packages and layers", command: ["oxlint"] },
  { name: "format", what: "oxfmt: formatting", command: ["oxfmt", "--check"] },
  {
    name: "exports",
    what: "knip: unused exports, files and dependencies",
    command: ["knip", "--no-config-hints"],
  },
  {
    name: "generated",
    what: "generated files match their sources",
    command: ["node", "tools/check/generated.ts", "--check"],
  },
  {
    name: "services",
    what: "service.ts against registered routes and the files that deploy it",
    command: ["node", "tools/check/services.ts"],
  },
  { name: "size", what: "bytes of the tooling compared with the product", command: ["node", "tools/check/size.ts"] },
  {
    name: "language",
    what: "phrases that WRITING.md rejects",
    command: ["node", "tools/check/language.ts"],
  },
  {
    name: "manifests",
    what: "k8s/: schemas, rules, and the variables that the services read",
    command: ["node", "tools/check/manifests.ts"],
  },
];

/** Run in this order: later steps format what earlier ones changed. */
const FIXES: readonly Check[] = [
  { name: "generated", what: "", command: ["node", "tools/check/generated.ts"] },
  { name: "lint", what: "", command: ["oxlint", "--fix"] },
  { name: "format", what: "", command: ["oxfmt"] },
];

interface Options {
  readonly fix?: boolean;
  readonly json?: boolean;
}

const line = ({ name, passed, skipped, seconds, output }: CheckResult) =>
  skipped
    ? `skipped ${name.padEnd(10)} ${output.trim()}`
    : `${passed ? "ok    " : "FAILED"}  ${name.padEnd(10)} ${seconds.toFixed(1)} s`;

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
  if (!json) console.log(`\n${failed.length} of ${results.length} checks failed. Try \`pnpm check --fix\`.`);
  process.exitCode = 1;
}

const known = CHECKS.map(({ name, what }) => `  ${name.padEnd(10)} ${what}`).join("\n");
await new Command("pnpm check")
  .description(`Runs the static checks in parallel; exit 1 when a check fails.\n\n${known}`)
  .addArgument(new Argument("[names...]", "run these checks only").choices(CHECKS.map(({ name }) => name)))
  .option("--fix", "first regenerate the generated files, and fix lint and formatting")
  .option("--json", "print the results as JSON")
  .action(check)
  .parseAsync();
