// `pnpm test:faults`: the whole system under load while everything around it breaks, and a ledger of what became of it. See --help.
import { abortBySignal, parseCount } from "@gatehouse/test-kit/command";
import { randomBytes } from "node:crypto";
import { Command, Option } from "commander";
import { printLedger } from "./ledger/print.ts";
import { createProgress } from "./progress.ts";
import { run } from "./run.ts";

interface Options {
  readonly seed: string;
  readonly seconds: number;
  readonly clients: number;
  readonly only?: string;
  readonly logs?: string;
  readonly json?: boolean;
}

async function testFaults(options: Options): Promise<void> {
  const progress = createProgress();
  progress.note(`seed ${options.seed}`);
  const signal = abortBySignal();
  try {
    const ledger = await run({ ...options, logFolder: options.logs, progress, signal });
    console.log(options.json ? JSON.stringify(ledger, null, 2) : printLedger(ledger));
    process.exitCode = ledger.passed ? 0 : 1;
  } catch (error) {
    console.error(`seed ${options.seed}:`, error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}

const program = new Command("pnpm test:faults")
  .description(
    "Breaks everything around a running Gatehouse, at random but by a seed, and draws up a ledger; exit 1 when it does not balance.",
  )
  .addOption(
    new Option("--seed <text>", "the same seed makes the same choices")
      .env("FAULTS_SEED")
      .default(randomBytes(3).toString("hex"), "a new one"),
  )
  .addOption(
    new Option("--seconds <count>", "how long to break things")
      .env("FAULTS_SECONDS")
      .argParser(parseCount)
      .default(240),
  )
  .addOption(new Option("--clients <count>", "how many at a time").argParser(parseCount).default(8))
  .option("--only <text>", "only faults whose name contains this, or one of these, comma-separated")
  .option("--logs <folder>", "write the services' logs there")
  .addOption(new Option("--json", "the ledger as JSON, with everything that is wrong").env("FAULTS_JSON"))
  .action(testFaults);

await program.parseAsync();
