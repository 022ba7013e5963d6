// `pnpm test:alerts`: Prometheus' rules, checked and tested by its own promtool. See --help.
import { findPromtool } from "@gatehouse/test-kit/promtool";
import { Command } from "commander";
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const RULES = "deploy/observability/alerts/*.yml";
const TESTS = "deploy/observability/alerts/test/*.yml";

interface Options {
  readonly json?: boolean;
}

interface Result {
  readonly file: string;
  readonly passed: boolean;
  readonly seconds: number;
  readonly output: string;
}

async function testAlerts({ json }: Options): Promise<void> {
  const promtool = await findPromtool({
    environment: process.env,
    cacheFolder: `${ROOT}.cache`,
    note: (line) => console.error(line),
  });
  if ("reason" in promtool) {
    console.error(promtool.reason);
    process.exitCode = 1;
    return;
  }
  const { command, label } = promtool;
  const env = { ...process.env, ...promtool.environment };
  const run = (verb: "check" | "test", file: string): Result => {
    const started = performance.now();
    const { status, stdout, stderr, error } = spawnSync(command, [verb, "rules", file], {
      cwd: ROOT,
      env,
      encoding: "utf8",
    });
    const output = error ? error.message : `${stdout}${stderr}`;
    const result = { file, passed: status === 0, seconds: (performance.now() - started) / 1_000, output };
    if (!json) console.log(`${result.passed ? "ok    " : "FAILED"}  ${file} ${result.seconds.toFixed(1)} s`);
    return result;
  };
  const files = (pattern: string) => globSync(pattern, { cwd: ROOT }).toSorted();
  const results = [...files(RULES).map((file) => run("check", file)), ...files(TESTS).map((file) => run("test", file))];
  const failed = results.filter(({ passed }) => !passed);
  if (json) console.log(JSON.stringify({ promtool: label, files: results }));
  else for (const { file, output } of failed) console.log(`\n── ${file} ──\n${output.trim()}`);
  if (failed.length > 0) process.exitCode = 1;
}

const program = new Command("pnpm test:alerts")
  .description(
    `Checks the rules in ${RULES} and runs their tests in ${TESTS}; exit 1 when one fails.\n\nUses promtool from PATH, else from Debian's package, unpacked into .cache.`,
  )
  .option("--json", "print the results as JSON")
  .action(testAlerts);

await program.parseAsync();
