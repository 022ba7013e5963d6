import { Command } from "commander";
import { machine, printMachine } from "./report.ts";

/** What a bench found: figures for a machine to read, lines for people, and whether what it is to show was shown. */
export interface BenchResult {
  readonly passed: boolean;
  readonly figures: object;
  readonly lines: readonly string[];
}

/**
 * A bench as a command: `--help`, `--json`, exit 1 when it failed or did not pass.
 * @param bench is given the command's options
 */
export function benchCommand(
  name: string,
  description: string,
  bench: (options: never) => Promise<BenchResult>,
): Command {
  return new Command(`pnpm ${name}`)
    .description(description)
    .option("--json", "the result as JSON, with every figure")
    .action(async ({ json, ...options }: { json?: boolean }) => {
      try {
        const { passed, figures, lines } = await bench(options as never);
        if (json) console.log(JSON.stringify({ passed, machine: machine(), ...figures }));
        else {
          printMachine();
          for (const line of lines) console.log(line);
        }
        process.exitCode = passed ? 0 : 1;
      } catch (error) {
        console.error(error instanceof Error ? error.message : error);
        process.exitCode = 1;
      }
    });
}
